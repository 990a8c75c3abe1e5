import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

export const FLOOR = 'floor';

const ATTRIBUTES = ['--xattrs', '--xattrs-include=*', '--acls'];
const COMPRESSOR = '--use-compress-program=zstd -3 -T0';

/**
 * Not a backup program: the lower bound of each operation, by the fastest means at hand. Nothing changed: look at
 * every entry (find). Full: read and compress everything (tar | zstd). 1 % changed: read and compress what changed, whose
 * names are given. Restore: unpack everything.
 */
export const floor: ToolKind = {
  name: FLOOR,
  note: 'find -printf (nothing changed); tar --xattrs --acls | zstd -3 -T0 (full, and of the changed files alone); zstd -d | tar -x (restore)',
  needs: { find: 'findutils', tar: 'tar', zstd: 'zstd' },
  at({ accountsRoot, folder }): Tool {
    const archive = join(folder, 'full.tar.zst');
    const create = (file: string, ...what: string[]) => [
      { program: 'tar', args: ['--directory', accountsRoot, '--format=pax', ...ATTRIBUTES, COMPRESSOR, '-cf', file, ...what] },
    ];
    return {
      repository: folder,
      async reset() {
        emptyFolder(folder);
      },
      operations: {
        full: () => create(archive, '.'),
        unchanged: () => [{ program: 'find', args: [accountsRoot, '-printf', '%p %s %T@ %C@ %i\\n'] }],
        changed: ({ changedPaths }) => {
          const changes = join(folder, 'changed.tar.zst');
          rmSync(changes, { force: true });
          return create(changes, '--files-from', changedPaths);
        },
        restoreAll: ({ target }) => {
          mkdirSync(target);
          return [{ program: 'tar', args: ['--directory', target, ...ATTRIBUTES, COMPRESSOR, '-xpf', archive] }];
        },
      },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
