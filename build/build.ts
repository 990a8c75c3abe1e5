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
import { ADDONS, BUNDLE_OPTIONS, buildBundles, PROGRAM_BUNDLE } from './bundles.ts';
import { LATE_LIBRARIES } from './late-libraries.ts';
import { writeNotices } from './notices.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** A small nursery and a heap that grows in small steps: large buffers should go soon after they are done with. */
const HEAP_FLAGS = ['--max-semi-space-size=1', '--heap-growing-percent=20'];

/**
 * Variables that Node, or a library in it, obeys before the program's first line runs, by writing files or loading code. What
 * is obeyed later the program takes away itself (`core/clean-start.ts`).
 */
const OBEYED_AT_ONCE = ['NODE_COMPILE_CACHE', 'NODE_EXTRA_CA_CERTS', 'NODE_ICU_DATA', 'OPENSSL_CONF'];

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
    ...BUNDLE_OPTIONS,
    entryPoints: [join(ROOT, 'core/start.ts')],
    outfile: join(DIST, name),
    define: { BUNDLE: JSON.stringify(`${bundle}.js`) },
  });
}

async function buildExecutable(): Promise<void> {
  await buildStart(PROGRAM_BUNDLE, 'start.cjs');
  await buildStart(WORKER_BUNDLE, WORKER_START);
  const compiler = [...HEAP_FLAGS, join(import.meta.dirname, 'compile-ahead.ts'), DIST];
  await execa(process.execPath, compiler, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const node = join(DIST, 'node');
  // Before the program is in it: that may name those variables too.
  writeFileSync(node, deafTo(OBEYED_AT_ONCE), { mode: 0o755 });
  const compiled = [PROGRAM_BUNDLE, WORKER_BUNDLE].flatMap((name) => [`${name}.js`, `${name}.js.code`]);
  const config = {
    executable: node,
    main: join(DIST, 'start.cjs'),
    output: join(DIST, 'apiscp-backup'),
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-warning=ExperimentalWarning', '--disable-sigusr1', ...HEAP_FLAGS],
    // NODE_OPTIONS of whoever starts the program must not change it.
    execArgvExtension: 'none',
    assets: Object.fromEntries(
      [...compiled, WORKER_START, ...Object.keys(LATE_LIBRARIES), ...Object.keys(ADDONS)].map((name) => [name, join(DIST, name)]),
    ),
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
writeNotices(ROOT, DIST, await buildBundles(DIST));
await buildExecutable();
