import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

export const dar: ToolKind = {
  name: 'dar',
  note: 'zstd 3, one thread',
  needs: { dar: 'dar' },
  at({ accountsRoot, folder }): Tool {
    const repository = join(folder, 'repository');
    const base = join(repository, 'full');
    let newest = base;
    let archives = 0;
    // 5: some files could not be saved or restored as they should; 11: some changed while they were read.
    const command = (...args: string[]) => ({ program: 'dar', args: ['-N', '-Q', '-q', ...args], alsoGood: [5, 11] });
    const create = (archive: string, reference?: string) => [
      command('-c', archive, '-R', accountsRoot, '-zzstd:3', ...(reference === undefined ? [] : ['-A', reference])),
    ];
    const restore = (target: string, ...choice: string[]) => {
      mkdirSync(target);
      return [command('-x', base, '-R', target, '-O', ...choice)];
    };
    return {
      repository,
      async reset() {
        emptyFolder(repository);
        newest = base;
        archives = 0;
      },
      operations: {
        full: () => create(base),
        unchanged: () => create(join(repository, `unchanged-${++archives}`), newest),
        changed: () => {
          const reference = newest;
          newest = join(repository, `incremental-${++archives}`);
          return create(newest, reference);
        },
        differential: () => create(join(repository, `differential-${++archives}`), base),
        restoreFile: ({ account, target }) => restore(target, '-g', `${account}/${KEPT_FILE}`),
        restoreAccount: ({ account, target }) => restore(target, '-g', account),
        restoreAll: ({ target }) => restore(target),
      },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
