import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KEPT_FILE } from '../tree/account.ts';
import { emptyFolder } from './folders.ts';
import type { Tool, ToolKind } from './tool.ts';

const ATTRIBUTES = ['--xattrs', '--xattrs-include=*', '--acls'];
// tar starts it and connects the two with a pipe, as a shell would.
const COMPRESSOR = '--use-compress-program=zstd -3 -T0';

export const tar: ToolKind = {
  name: 'tar+zstd',
  note: 'zstd -3 -T0, listed-incremental; the memory is that of zstd, tar takes little more',
  needs: { tar: 'tar', zstd: 'zstd' },
  at({ accountsRoot, folder }): Tool {
    const repository = join(folder, 'repository');
    const full = join(repository, 'full.tar.zst');
    const [fullState, newestState, usedState] = ['full', 'newest', 'used'].map((name) => join(folder, `${name}.snar`)) as [
      string,
      string,
      string,
    ];
    let archives = 0;
    const create = (archive: string, state: string) => [
      {
        program: 'tar',
        args: ['--directory', accountsRoot, '--format=pax', ...ATTRIBUTES, COMPRESSOR, '--listed-incremental', state, '-cf', archive, '.'],
      },
    ];
    const next = () => join(repository, `${++archives}.tar.zst`);
    /** Leaves the state as it is: what is measured once more must find the same. */
    const createFrom = (state: string) => {
      copyFileSync(state, usedState);
      return create(next(), usedState);
    };
    const extract = (target: string, ...paths: string[]) => {
      mkdirSync(target);
      return [{ program: 'tar', args: ['--directory', target, ...ATTRIBUTES, COMPRESSOR, '-xpf', full, ...paths] }];
    };
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        mkdirSync(repository);
        archives = 0;
      },
      operations: {
        full: () => create(full, fullState),
        unchanged: () => createFrom(fullState),
        changed: async () => {
          // The first day begins where the full ended.
          await execa('cp', ['--no-clobber', fullState, newestState]);
          return create(next(), newestState);
        },
        differential: () => createFrom(fullState),
        restoreFile: ({ account, target }) => extract(target, `./${account}/${KEPT_FILE}`),
        restoreAccount: ({ account, target }) => extract(target, `./${account}`),
        restoreAll: ({ target }) => extract(target),
      },
      restoredAccount: (target, account) => join(target, account),
    };
  },
};
