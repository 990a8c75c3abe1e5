import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Libraries that only some commands need, by the file that each is bundled into. */
export const LATE_LIBRARIES = {
  'library-execa.cjs': 'execa',
  'library-mysql2.cjs': 'mysql2/promise',
  'library-pg.cjs': 'pg',
  'library-s3.cjs': './core/repository/backends/s3/sdk.ts',
  'library-ssh2.cjs': 'ssh2',
} as const;

/** Has a bundle take these libraries from their own files, when it comes to the code that uses them. */
export function lateLibraries(root: string): Plugin {
  const files = new Map(Object.entries(LATE_LIBRARIES).map(([file, library]) => [library as string, file]));
  const loader = join(root, 'core/late-library.ts');
  return {
    name: 'late-libraries',
    setup(build) {
      build.onResolve({ filter: /^(?:execa|mysql2\/promise|pg|ssh2)$/ }, ({ path }) => ({ path, namespace: 'late-library' }));
      build.onResolve({ filter: /^\.\/sdk\.ts$/ }, () => ({ path: './core/repository/backends/s3/sdk.ts', namespace: 'late-library' }));
      build.onLoad({ filter: /./, namespace: 'late-library' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(loader)}).loadLibrary(${JSON.stringify(files.get(path))});`,
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}
