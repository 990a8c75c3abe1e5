/**
 * Builds `dist/`: the bundle with the addons beside it, the single executable that holds all of them, and the published
 * schemas. The validators must have been made before (`npm run gen`).
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { settingsSchema } from '../core/config/schema.ts';
import {
  MESSAGES,
  type MethodName,
  NOTIFICATIONS,
  type NotificationName,
  publishedNotification,
  publishedSchema,
} from '../core/schemas/messages.ts';
import { WORKER_BUNDLE, WORKER_START } from '../core/workers.ts';
import { lateBuiltins } from './late-builtins.ts';
import { nativeAddons } from './native-addons.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const BUNDLES = { 'apiscp-backup.cjs': 'core/main.ts', [WORKER_BUNDLE]: 'core/worker-main.ts' };

/** A small nursery and a heap that grows in small steps: large buffers should go soon after they are done with. */
const HEAP_FLAGS = ['--max-semi-space-size=1', '--heap-growing-percent=20'];

/**
 * Variables that Node, or a library in it, obeys before the program's first line runs, by writing files or loading code. What
 * is obeyed later the program takes away itself (`core/clean-start.ts`).
 */
const OBEYED_AT_ONCE = ['NODE_COMPILE_CACHE', 'NODE_EXTRA_CA_CERTS', 'NODE_ICU_DATA', 'OPENSSL_CONF'];

const ADDONS = {
  'xattr.node': 'node_modules/fs-xattr/build/Release/xattr.node',
  'koffi.node': `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
};

async function buildBundle(entry: string, name: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile: join(DIST, name),
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
    plugins: [nativeAddons(ROOT), lateBuiltins],
  });
  plainComments(join(DIST, name));
}

/** Puts a question mark for each character beyond ASCII in comments, which libraries keep inside of classes; esbuild itself writes all others as escapes. */
function plainComments(bundle: string): void {
  const lines = readFileSync(bundle, 'utf8').split('\n');
  const plain = lines.map((line) => (/^\s*(?:\*|\/\/|\/\*)/.test(line) ? line.replace(/[^\0-\x7f]/gu, '?') : line));
  writeFileSync(bundle, plain.join('\n'));
}

/** Node with other names in the place of those variables: no environment can hold a name with an equals sign. */
function deafTo(names: readonly string[]): Buffer {
  const executable = readFileSync(process.execPath);
  for (const name of names) {
    const asked = Buffer.from(`\0${name}\0`);
    let at = executable.indexOf(asked);
    if (at < 0) throw new Error(`this Node does not ask for ${name}: take it off the list`);
    for (; at >= 0; at = executable.indexOf(asked, at)) executable.fill('=', at + 1, at + 1 + name.length);
  }
  return executable;
}

/** The few lines by which a thread of the single executable starts a compiled bundle. */
async function buildStart(bundle: string, name: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'core/start.ts')],
    outfile: join(DIST, name),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    minifySyntax: true,
    logLevel: 'warning',
    define: { BUNDLE: JSON.stringify(`${bundle}.js`) },
  });
}

async function buildExecutable(): Promise<void> {
  const [program, worker] = Object.keys(BUNDLES) as [string, string];
  await buildStart(program, 'start.cjs');
  await buildStart(worker, WORKER_START);
  const bundles = [program, worker].map((name) => join(DIST, name));
  await execa(process.execPath, [...HEAP_FLAGS, join(import.meta.dirname, 'compile-ahead.ts'), ...bundles], { stderr: 'inherit' });
  const node = join(DIST, 'node');
  // Before the program is in it: that may name those variables too.
  writeFileSync(node, deafTo(OBEYED_AT_ONCE), { mode: 0o755 });
  const compiled = [program, worker].flatMap((name) => [`${name}.js`, `${name}.js.code`]);
  const config = {
    executable: node,
    main: join(DIST, 'start.cjs'),
    output: join(DIST, 'apiscp-backup'),
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-warning=ExperimentalWarning', '--disable-sigusr1', ...HEAP_FLAGS],
    // NODE_OPTIONS of whoever starts the program must not change it.
    execArgvExtension: 'none',
    assets: Object.fromEntries([...compiled, WORKER_START, ...Object.keys(ADDONS)].map((name) => [name, join(DIST, name)])),
  };
  const file = join(DIST, 'single-executable.json');
  writeFileSync(file, JSON.stringify(config));
  await execa(process.execPath, ['--build-sea', file], { stdout: 'ignore', stderr: 'inherit' });
  for (const name of [file, node, ...['start.cjs', WORKER_START, ...compiled].map((name) => join(DIST, name))]) rmSync(name);
  // Written in one stretch, the file lies in the page cache in large pages, and every process that maps it counts 40 MB more.
  copyFileSync(config.output, `${config.output}.copy`);
  renameSync(`${config.output}.copy`, config.output);
}

function publishSchemas(): void {
  const folder = join(DIST, 'schemas');
  mkdirSync(folder);
  const messages = (Object.keys(MESSAGES) as MethodName[]).flatMap((method) =>
    (['request', 'result'] as const).map((side) => [`${method}-${side}`, publishedSchema(method, side)] as const),
  );
  const notifications = (Object.keys(NOTIFICATIONS) as NotificationName[]).map(
    (name) => [`${name}-notification`, publishedNotification(name)] as const,
  );
  for (const [name, schema] of [['settings', settingsSchema] as const, ...messages, ...notifications]) {
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
publishSchemas();
for (const [name, entry] of Object.entries(BUNDLES)) await buildBundle(entry, name);
for (const [name, source] of Object.entries(ADDONS)) copyFileSync(join(ROOT, source), join(DIST, name));
await buildExecutable();
