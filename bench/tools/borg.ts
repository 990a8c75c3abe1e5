import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

export const borg: ToolKind = {
  name: 'borg',
  note: 'no encryption, zstd 3',
  needs: { borg: 'borgbackup' },
  at({ accountsRoot, accounts, folder }): Tool {
    const repository = join(folder, 'repository');
    const environment = { BORG_BASE_DIR: join(folder, 'base'), BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' };
    let archives = 0;
    // 1 stands for warnings, such as a file that changed while it was read.
    const command = (args: string[], cwd = folder) => ({ program: 'borg', args, environment, folder: cwd, alsoGood: [1] });
    const create = () => [
      command(['create', '--compression', 'zstd,3', `${repository}::archive-${++archives}`, ...accounts], accountsRoot),
    ];
    const extract = (target: string, ...paths: string[]) => {
      mkdirSync(target);
      return [command(['extract', `${repository}::archive-${archives}`, ...paths], target)];
    };
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        archives = 0;
        await execa('borg', ['init', '--encryption', 'none', repository], { env: environment });
      },
      operations: {
        full: create,
        unchanged: create,
        changed: create,
        restoreFile: ({ account, target }) => extract(target, `${account}/${KEPT_FILE}`),
        restoreAccount: ({ account, target }) => extract(target, account),
        restoreAll: ({ target }) => extract(target),
        list: () => [command(['list', repository])],
        prune: () => [command(['prune', '--keep-last', '1', repository]), command(['compact', repository])],
      },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
