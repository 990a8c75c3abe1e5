import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../tools/folders.ts';
import type { Tool, ToolKind } from '../tools/tool.ts';
import type { DatabasePlace } from './database-place.ts';
import { DUMP_PROGRAM, dumpArguments } from './dump-command.ts';

const SCRIPT = `set -euo pipefail
names=$1; repository=$2; password=$3; cache=$4; shift 4
for name in $names; do
  "$@" "$name" | restic --quiet --repo "$repository" --password-file "$password" --cache-dir "$cache" backup --stdin --stdin-filename "$name.sql"
done`;

/** restic takes one stream a snapshot: a snapshot for each database. */
export const resticStdin: ToolKind<DatabasePlace> = {
  name: 'restic',
  note: 'mysqldump | restic backup --stdin for each database, one after the other; it always encrypts; each step once',
  needs: { restic: 'restic' },
  versionArguments: ['version'],
  at(place): Tool {
    const { folder, databases } = place;
    const [repository, password, cache] = ['repository', 'password', 'cache'].map((name) => join(folder, name)) as [string, string, string];
    const backUp = () => [
      {
        program: 'bash',
        args: ['-c', SCRIPT, 'restic', databases.join(' '), repository, password, cache, DUMP_PROGRAM, ...dumpArguments(place)],
      },
    ];
    return {
      repository,
      // Each of the 200 processes waits a fifth of a second to look at its lock again, and eight times for the disk: minutes.
      mostRounds: 1,
      async reset() {
        emptyFolder(folder);
        writeFileSync(password, 'bench\n');
        await execa('restic', [
          '--repo',
          repository,
          '--password-file',
          password,
          '--cache-dir',
          cache,
          'init',
          '--repository-version',
          '2',
        ]);
      },
      operations: { full: backUp, unchanged: backUp, changed: backUp },
      restoredAccount: (target) => target,
    };
  },
};
