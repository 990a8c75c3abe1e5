import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

export const restic: ToolKind = {
  name: 'restic',
  note: 'repository version 2, compression auto; it always encrypts',
  needs: { restic: 'restic' },
  versionArguments: ['version'],
  at({ accountsRoot, folder }): Tool {
    const repository = join(folder, 'repository');
    const passwordFile = join(folder, 'password');
    const command = (...args: string[]) => ({
      program: 'restic',
      args: ['--quiet', '--repo', repository, '--password-file', passwordFile, '--cache-dir', join(folder, 'cache'), ...args],
    });
    const backup = () => [command('backup', '--compression', 'auto', accountsRoot)];
    const restore = (target: string, ...paths: string[]) => [
      command('restore', 'latest', '--target', target, ...paths.flatMap((path) => ['--include', path])),
    ];
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        writeFileSync(passwordFile, 'bench\n');
        await execa('restic', command('init', '--repository-version', '2').args);
      },
      operations: {
        full: backup,
        unchanged: backup,
        changed: backup,
        restoreFile: ({ account, target }) => restore(target, join(accountsRoot, account, KEPT_FILE)),
        restoreAccount: ({ account, target }) => restore(target, join(accountsRoot, account)),
        restoreAll: ({ target }) => restore(target),
        list: () => [command('snapshots')],
        prune: () => [command('forget', '--keep-last', '1', '--prune')],
      },
      restoredAccount: (target, account) => join(target, accountsRoot, account),
    };
  },
};
