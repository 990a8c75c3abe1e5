import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

export const duplicity: ToolKind = {
  name: 'duplicity',
  note: 'no encryption, gzip (it has no zstd); keeps no ACLs and no extended attributes',
  needs: { duplicity: 'duplicity' },
  at({ accountsRoot, folder }): Tool {
    const repository = join(folder, 'repository');
    const temporary = join(folder, 'temporary');
    const options = ['--no-encryption', '--verbosity', 'warning', '--archive-dir', join(folder, 'archive'), '--tempdir', temporary];
    const url = `file://${repository}`;
    const command = (...args: string[]) => ({ program: 'duplicity', args: [...args.slice(0, 1), ...options, ...args.slice(1)] });
    const incremental = () => [command('incremental', accountsRoot, url)];
    const restore = (target: string, ...choice: string[]) => [command('restore', ...choice, url, target)];
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        mkdirSync(repository);
        mkdirSync(temporary);
      },
      operations: {
        full: () => [command('full', accountsRoot, url)],
        unchanged: incremental,
        changed: incremental,
        restoreFile: ({ account, target }) => {
          const file = `${account}/${KEPT_FILE}`;
          mkdirSync(join(target, file, '..'), { recursive: true });
          return restore(join(target, file), '--file-to-restore', file);
        },
        restoreAccount: ({ account, target }) => {
          mkdirSync(target);
          return restore(join(target, account), '--file-to-restore', account);
        },
        restoreAll: ({ target }) => restore(target),
        list: () => [command('collection-status', url)],
      },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
