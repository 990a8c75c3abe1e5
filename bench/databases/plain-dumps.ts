import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../measure.ts';
import { FLOOR } from '../tools/floor.ts';
import { emptyFolder } from '../tools/folders.ts';
import type { Tool, ToolKind } from '../tools/tool.ts';
import type { DatabasePlace } from './database-place.ts';
import { DUMP_PROGRAM, dumpArguments } from './dump-command.ts';

/** Not a backup: every database dumped, as many at a time as there are processors, and thrown away. */
export const dumpFloor: ToolKind<DatabasePlace> = {
  name: FLOOR,
  note: 'mysqldump of each database to nowhere, as many at a time as processors',
  needs: { [DUMP_PROGRAM]: 'mariadb-client', xargs: 'findutils' },
  at(place): Tool {
    const dump = [DUMP_PROGRAM, ...dumpArguments(place)];
    const script = 'processes=$1; shift; names=$1; shift; printf "%s\\0" $names | xargs -0 -n 1 -P "$processes" "$@"';
    const args = ['-c', script, 'floor', String(availableParallelism()), place.databases.join(' '), ...dump];
    return toolOf(place.folder, () => ({ program: 'bash', args }));
  },
};

/** The script that many servers have. */
export const compressedDumps: ToolKind<DatabasePlace> = {
  name: 'mysqldump+zstd',
  note: 'mysqldump | zstd -3 for each database, one after the other, into a new folder each time',
  needs: { [DUMP_PROGRAM]: 'mariadb-client', zstd: 'zstd' },
  at(place): Tool {
    const dump = [DUMP_PROGRAM, ...dumpArguments(place)];
    const script =
      'set -euo pipefail; names=$1; shift; folder=$1; shift; for name in $names; do "$@" "$name" | zstd -3 -q -o "$folder/$name.sql.zst"; done';
    let backups = 0;
    return toolOf(place.folder, () => {
      const target = join(place.folder, `backup-${++backups}`);
      mkdirSync(target);
      return { program: 'bash', args: ['-c', script, 'dumps', place.databases.join(' '), target, ...dump] };
    });
  },
};

/** A tool that does the same whatever has changed. */
function toolOf(folder: string, backUp: () => Command): Tool {
  const commands = () => [backUp()];
  return {
    repository: folder,
    async reset() {
      emptyFolder(folder);
    },
    operations: { full: commands, unchanged: commands, changed: commands },
    restoredAccount: (target) => target,
  };
}
