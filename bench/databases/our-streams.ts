import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../tools/folders.ts';
import { EXECUTABLE, OURS, SAME_PRIORITY } from '../tools/ours.ts';
import type { Tool, ToolKind } from '../tools/tool.ts';
import type { DatabasePlace } from './database-place.ts';
import { DUMP_PROGRAM } from './dump-command.ts';

export const ourStreams: ToolKind<DatabasePlace> = {
  name: OURS,
  note: 'all accounts with their databases, users and what belongs to none; zstd 3; makes sure that everything is on the disk',
  needs: { [EXECUTABLE]: '', mariadbd: 'mariadb-server', [DUMP_PROGRAM]: 'mariadb-client' },
  versionArguments: ['--version'],
  at({ accountsRoot, folder, socket, optionFile }): Tool {
    const settingsFile = join(folder, 'settings.json');
    const repository = join(folder, 'repository');
    const command = (...args: string[]) => ({ program: EXECUTABLE, args: ['--config', settingsFile, ...args] });
    const incremental = () => [command('run', '--level', 'incremental')];
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        const [systemRoot, stateDirectory] = [join(folder, 'system'), join(folder, 'state')];
        mkdirSync(systemRoot);
        const databases = { mysql: { socket, credentials: optionFile } };
        writeFileSync(
          settingsFile,
          JSON.stringify({ repository, stateDirectory, accountsRoot, systemRoot, databases, limits: SAME_PRIORITY }),
        );
        await execa(EXECUTABLE, command('init').args);
      },
      operations: { full: () => [command('run', '--level', 'full')], unchanged: incremental, changed: incremental },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
