import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { build } from 'esbuild';
import { nativeAddons } from '../../build/native-addons.ts';
import { ROOT } from '../program.ts';

const LIBRARIES = {
  'node_modules/fs-xattr/index.js':
    "import { createRequire } from 'node:module'\nconst addon = createRequire(import.meta.url)('./build/Release/xattr')\nexport default addon\n",
  'node_modules/koffi/src/koffi/indirect.js': 'var native = loadDynamic(import.meta.dirname, pkg, triplets);\nexport default native;\n',
};

describe('the native parts of the bundle', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'native-addons-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function bundle(files: Record<string, string>, entry: string): Promise<string> {
    for (const [name, contents] of Object.entries({ ...files, 'entry.js': entry })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), contents);
    }
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'entry.js')],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
      logLevel: 'silent',
      define: { 'import.meta.dirname': '__dirname' },
      plugins: [nativeAddons(ROOT)],
    });
    return outputFiles[0]?.text ?? '';
  }

  const entry =
    "export { default as xattr } from './node_modules/fs-xattr/index.js';\nexport { default as koffi } from './node_modules/koffi/src/koffi/indirect.js';\n";

  it('are loaded in one place', async () => {
    const text = await bundle(LIBRARIES, entry);
    expect(text).to.contain('loadNativeAddon("xattr")').and.to.contain('loadNativeAddon("koffi")');
    expect(text).not.to.contain('createRequire');
  });

  for (const [name, source] of Object.entries(LIBRARIES)) {
    it(`stop the build when ${name} finds its own in another way`, async () => {
      const error = await bundle({ ...LIBRARIES, [name]: source.replaceAll('=', '= await') }, entry).catch((reason) => reason);
      expect(String(error)).to.contain('adapt build/native-addons.ts');
    });
  }

  it('stop the build when a library is not there at all', async () => {
    const error = await bundle(LIBRARIES, entry.split('\n')[0] ?? '').catch((reason) => reason);
    expect(String(error)).to.contain('koffi/src/koffi/indirect.js');
  });
});
