import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../tools/folders.ts';
import type { Tool, ToolKind } from '../tools/tool.ts';
import type { DatabasePlace } from './database-place.ts';
import { DUMP_PROGRAM, dumpArguments } from './dump-command.ts';

/** borgmatic has mysqldump write each database into a pipe with a name, from which borg reads it. */
export const borgmatic: ToolKind<DatabasePlace> = {
  name: 'borgmatic',
  note: 'its mysql_databases, each database named; no encryption, zstd 3',
  needs: { borgmatic: 'borgmatic', borg: 'borgbackup', [DUMP_PROGRAM]: 'mariadb-client' },
  at(place): Tool {
    const { folder } = place;
    const repository = join(folder, 'repository');
    const configuration = join(folder, 'borgmatic.yaml');
    const environment = { BORG_BASE_DIR: join(folder, 'base'), BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' };
    const backUp = () => [{ program: 'borgmatic', args: ['--config', configuration, 'create'], environment }];
    return {
      repository,
      async reset() {
        emptyFolder(folder);
        mkdirSync(join(folder, 'files'));
        writeFileSync(configuration, configurationOf(place, repository));
        await execa('borg', ['init', '--encryption', 'none', repository], { env: environment });
      },
      operations: { full: backUp, unchanged: backUp, changed: backUp },
      restoredAccount: (target) => target,
    };
  },
};

/** JSON, which is YAML. */
function configurationOf(place: DatabasePlace, repository: string): string {
  const options = dumpArguments(place).join(' ');
  return JSON.stringify({
    location: {
      source_directories: [join(place.folder, 'files')],
      repositories: [repository],
      borgmatic_source_directory: join(place.folder, 'dumps'),
    },
    storage: { compression: 'zstd,3', borg_base_directory: join(place.folder, 'base'), unknown_unencrypted_repo_access_is_ok: true },
    hooks: { mysql_databases: place.databases.map((name) => ({ name, options })) },
  });
}
