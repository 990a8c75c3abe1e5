/**
 * Builds `dist/`: the bundle with the addons beside it, the single executable that holds all of them, and the published
 * schemas. The validators must have been made before (`npm run gen`).
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { MESSAGES, type MethodName, publishedSchema } from '../core/commands/schemas/messages.ts';
import { settingsSchema } from '../core/config/schema.ts';
import { PROGRAM_ASSET } from '../core/workers.ts';
import { nativeAddons } from './native-addons.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const BUNDLE = join(DIST, PROGRAM_ASSET);

const ADDONS = {
  'xattr.node': 'node_modules/fs-xattr/build/Release/xattr.node',
  'koffi.node': `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
};

async function buildBundle(): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'core/main.ts')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    // koffi's other entry takes its native part from the file system only; the plugin replaces that one place.
    alias: { koffi: 'koffi/indirect' },
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename', 'import.meta.url': '__importMetaUrl' },
    banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [nativeAddons(ROOT)],
  });
  for (const [name, source] of Object.entries(ADDONS)) copyFileSync(join(ROOT, source), join(DIST, name));
}

async function buildExecutable(): Promise<void> {
  const config = {
    main: BUNDLE,
    output: join(DIST, 'apiscp-backup'),
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // A small nursery: the main thread handles large buffers, which should go as soon as they are done with.
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1'],
    // NODE_OPTIONS of whoever starts the program must not change it.
    execArgvExtension: 'none',
    assets: Object.fromEntries([PROGRAM_ASSET, ...Object.keys(ADDONS)].map((name) => [name, join(DIST, name)])),
  };
  const file = join(DIST, 'single-executable.json');
  writeFileSync(file, JSON.stringify(config));
  await execa(process.execPath, ['--build-sea', file], { stdout: 'ignore', stderr: 'inherit' });
  rmSync(file);
}

function publishSchemas(): void {
  const folder = join(DIST, 'schemas');
  mkdirSync(folder);
  const messages = (Object.keys(MESSAGES) as MethodName[]).flatMap((method) =>
    (['request', 'result'] as const).map((side) => [`${method}-${side}`, publishedSchema(method, side)] as const),
  );
  for (const [name, schema] of [['settings', settingsSchema] as const, ...messages]) {
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
publishSchemas();
await buildBundle();
await buildExecutable();
