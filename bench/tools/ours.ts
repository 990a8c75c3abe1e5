import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Place, Tool, ToolKind } from './tool.ts';

/** The built executable. */
export const EXECUTABLE = join(import.meta.dirname, '../../dist/apiscp-backup');
export const OURS = 'apiscp-backup';

/** Ours leaves the processors to others first, unless it is told otherwise; its peers do not. */
export const SAME_PRIORITY = { nice: 0 };

/** The same, encrypted for a key that this server has, too, so that it can restore. */
export const OURS_ENCRYPTED = 'apiscp-backup+age';

const NOTE = 'zstd 3, digests and manifest included; makes sure that everything is on the disk';

export const ours: ToolKind = {
  name: OURS,
  note: NOTE,
  needs: { [EXECUTABLE]: '' },
  versionArguments: ['--version'],
  at: (place) => toolAt(place, []),
};

/** The same with recovery data, by which `repair` heals. */
export const OURS_RECOVERING = 'apiscp-backup+recovery';

/** Whose identity it is nobody knows: it is there because a server alone must not be the only reader. */
const RECIPIENT = 'age1gp9atefz0le0urrxdep29pths7xz6ahxa4we6qvwsamtv92uesyqtfl7m5';

/** With what `init` makes a repository that this server encrypts, and reads. */
export const ENCRYPTED = ['--server-can-read', '--recipient', RECIPIENT] as const;

export const oursEncrypted: ToolKind = {
  ...ours,
  name: OURS_ENCRYPTED,
  note: `${NOTE}; for two age recipients`,
  at: (place) => toolAt(place, ENCRYPTED),
};

export const oursRecovering: ToolKind = {
  ...ours,
  name: OURS_RECOVERING,
  note: `${NOTE}; 5 % of recovery data`,
  at: (place) => toolAt(place, [], { recovery: { percent: 5 } }),
};

function toolAt({ accountsRoot, accounts, folder }: Place, initArguments: readonly string[], more: object = {}): Tool {
  const settingsFile = join(folder, 'settings.json');
  const repository = join(folder, 'repository');
  const command = (...args: string[]) => ({ program: EXECUTABLE, args: ['--config', settingsFile, ...args] });
  return {
    repository,
    async reset() {
      emptyFolder(folder);
      const systemRoot = join(folder, 'system');
      mkdirSync(systemRoot);
      const stateDirectory = join(folder, 'state');
      // Of all snapshots of the day of the bench a prune keeps one, as the peers' do.
      const retention = { keepDaily: 1 };
      writeFileSync(
        settingsFile,
        JSON.stringify({ repository, stateDirectory, accountsRoot, systemRoot, retention, limits: SAME_PRIORITY, ...more }),
      );
      await execa(EXECUTABLE, command('init', ...initArguments).args);
    },
    operations: {
      full: () => [command('run', '--level', 'full')],
      unchanged: () => [command('run', '--level', 'incremental')],
      changed: () => [command('run', '--level', 'incremental')],
      differential: () => [command('run', '--level', 'differential')],
      restoreFile: ({ account, target }) => [command('restore', account, KEPT_FILE, '--to', join(target, account))],
      restoreAccount: ({ account, target }) => [command('restore', account, '--to', join(target, account))],
      restoreAll: ({ target }) => accounts.map((account) => command('restore', account, '--to', join(target, account))),
      list: () => [command('list')],
      repair: () => [command('repair')],
      prune: () => [command('prune', '--yes')],
    },
    restoredAccount: (target, account) => join(target, account),
  };
}
