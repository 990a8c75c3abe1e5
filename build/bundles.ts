import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { WORKER_BUNDLE } from '../core/workers.ts';
import { lateBuiltins } from './late-builtins.ts';
import { LATE_LIBRARIES, lateLibraries } from './late-libraries.ts';
import { nativeAddons } from './native-addons.ts';

const ROOT = join(import.meta.dirname, '..');

/** The bundle that starts as the program. */
export const PROGRAM_BUNDLE = 'apiscp-backup.cjs';

const ENTRIES = { [PROGRAM_BUNDLE]: 'core/main.ts', [WORKER_BUNDLE]: 'core/worker-main.ts' };

/** The native parts, by the names that the bundles load them by. */
export const ADDONS = {
  'xattr.node': 'node_modules/fs-xattr/build/Release/xattr.node',
  'koffi.node': `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
} as const;

/** What all bundles of the program have in common. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
  minifySyntax: true,
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Writes the bundles of the program and of its threads into a folder, and beside them the libraries and addons that they load. Returns what they are made of. */
export async function buildBundles(folder: string): Promise<Metafile[]> {
  const metafiles: Metafile[] = [];
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const { metafile } = await build({
      ...BUNDLE_OPTIONS,
      entryPoints: [join(ROOT, entry)],
      outfile: join(folder, name),
      // koffi's other entry takes its native part from the file system only; the plugin replaces that one place.
      alias: { koffi: 'koffi/indirect' },
      define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__importMetaUrl' },
      banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
      plugins: [nativeAddons(ROOT), lateBuiltins, lateLibraries(ROOT)],
    });
    metafiles.push(metafile);
    plainComments(join(folder, name));
  }
  for (const [name, library] of Object.entries(LATE_LIBRARIES)) {
    const contents = `module.exports = require(${JSON.stringify(library)});`;
    // Native parts that a library can do without stay away.
    const { metafile } = await build({
      ...BUNDLE_OPTIONS,
      stdin: { contents, resolveDir: ROOT },
      outfile: join(folder, name),
      external: ['*.node'],
    });
    metafiles.push(metafile);
    plainComments(join(folder, name));
  }
  for (const [name, source] of Object.entries(ADDONS)) copyFileSync(join(ROOT, source), join(folder, name));
  return metafiles;
}

/**
 * Puts a question mark for each character beyond ASCII in comments, which libraries keep inside of classes. esbuild itself writes all others
 * as escapes.
 */
function plainComments(bundle: string): void {
  const lines = readFileSync(bundle, 'utf8').split('\n');
  const plain = lines.map((line) => (/^\s*(?:\*|\/\/|\/\*)/.test(line) ? line.replace(/[^\0-\x7f]/gu, '?') : line));
  writeFileSync(bundle, plain.join('\n'));
}
