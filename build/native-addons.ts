import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import type { NativeAddon } from '../core/linux/native-addon.ts';

interface Replacement {
  readonly file: string;
  readonly addon: NativeAddon;
  /** The library's own way to its addon, exactly once in its file. */
  readonly original: string;
  /** The beginning of the same statement in the bundle. */
  readonly assigned: string;
}

const REPLACEMENTS: readonly Replacement[] = [
  {
    file: 'fs-xattr/index.js',
    addon: 'xattr',
    original: "const addon = createRequire(import.meta.url)('./build/Release/xattr')",
    assigned: 'const addon',
  },
  {
    file: 'koffi/src/koffi/indirect.js',
    addon: 'koffi',
    original: 'var native = loadDynamic(import.meta.dirname, pkg, triplets);',
    assigned: 'var native',
  },
];

function replaceOnce(source: string, { file, addon, original, assigned }: Replacement, loader: string): string {
  const parts = source.split(original);
  if (parts.length !== 2) throw new Error(`${file} no longer loads its addon as expected: adapt build/native-addons.ts`);
  return `import { loadNativeAddon } from ${JSON.stringify(loader)};\n${parts.join(`${assigned} = loadNativeAddon('${addon}');`)}`;
}

/** Lets every library that has a native part load it through `core/linux/native-addon.ts`; fails when one has changed. */
export function nativeAddons(root: string): Plugin {
  const loader = join(root, 'core/linux/native-addon.ts');
  const seen = new Set<string>();
  return {
    name: 'native-addons',
    setup(build) {
      for (const replacement of REPLACEMENTS) {
        const filter = new RegExp(`/node_modules/${RegExp.escape(replacement.file)}$`);
        build.onLoad({ filter }, async ({ path }) => {
          seen.add(replacement.file);
          return { contents: replaceOnce(await readFile(path, 'utf8'), replacement, loader), loader: 'js' };
        });
      }
      build.onEnd(() => {
        const missing = REPLACEMENTS.filter(({ file }) => !seen.has(file)).map(({ file }) => file);
        if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(', ')}: adapt build/native-addons.ts`);
      });
    },
  };
}
