import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/** Modules of Node that take milliseconds to load, and that many commands never use. */
const LATE = ['child_process', 'crypto', 'readline', 'worker_threads', 'zlib'];

/** Stands in for such a module, and loads it when the first of its exports is asked for. */
function standIn(name: string): string {
  const exported = Object.getOwnPropertyNames(createRequire(import.meta.url)(`node:${name}`));
  return [
    'let loaded;',
    `const load = () => (loaded ??= process.getBuiltinModule('node:${name}'));`,
    `for (const name of ${JSON.stringify(exported)}) Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });`,
  ].join('\n');
}

/** Has the bundle load some of Node's own modules only when they are used: most commands start faster by that. */
export const lateBuiltins: Plugin = {
  name: 'late-builtins',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(?:node:)?(?:${LATE.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'late-builtin',
    }));
    build.onLoad({ filter: /./, namespace: 'late-builtin' }, ({ path }) => ({ contents: standIn(path), loader: 'js' }));
  },
};
