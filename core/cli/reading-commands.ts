import { type Command, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../failure.ts';
import type { Actions } from './actions.ts';
import { copyOption, earlierOption, serverOption } from './identity-commands.ts';
import { identityOption, passphraseOption } from './key-commands.ts';
import { pathArguments } from './path-arguments.ts';
import { unitArgument } from './unit-arguments.ts';

interface PageOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly pathB64?: string;
}

function rowCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** Without them a person gets all rows, and `--json` the first page. */
function withPages(command: Command): Command {
  return command
    .addOption(new Option('--limit <rows>', 'maximum number of rows').argParser(rowCount))
    .option('--after <cursor>', 'continue an earlier answer: its `next`')
    .option('--path-b64 <base64>', 'the path, when its bytes are not UTF-8, in base64');
}

/** One path of a request under the name `key`, from the argument or the option. */
function onePath(key: string, text: string | undefined, base64: string | undefined): object {
  if (text !== undefined && base64 !== undefined) throw new Failure('usage', 'the path is given twice, as an argument and with --path-b64');
  const [path] = pathArguments(text === undefined ? [] : [text], base64 === undefined ? [] : [base64]);
  return path === undefined ? {} : { [key]: path };
}

/** The commands that find things in backups again. */
export function addReadingCommands(program: Command, { perform }: Actions): void {
  withPages(program.command('ls'))
    .description('list a folder as it was')
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .argument('[folder]', 'as in the backup: shadow/var/www; none: the top')
    .option('--at <time>', 'a snapshot, 2026-11-20, "yesterday 14:00" (default: latest)')
    .option('--recursive', 'include everything below it')
    .action((unit: string, folder: string | undefined, { pathB64, ...options }: PageOptions) =>
      perform('ls', { unit, ...onePath('folder', folder, pathB64), ...options }),
    );
  program
    .command('databases')
    .description('list the databases of a unit, or of all, as they were')
    .argument('[unit]', 'site12 or system, or the id of a unit; none or all: all units')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .option('--at <time>', 'a snapshot, 2026-11-20, "yesterday 14:00" (default: latest)')
    .action((unit: string | undefined, options: object) => perform('databases', { ...unitArgument(unit), ...options }));
  withPages(program.command('find'))
    .description('look for a name or a path in all snapshots')
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .argument('<pattern>', '"*.php" fits names, "shadow/**/wp-*/*.php" paths')
    .argument('[folder]', 'only below this folder')
    .action((unit: string, pattern: string, folder: string | undefined, { pathB64, ...options }: PageOptions) =>
      perform('find', { unit, pattern, ...onePath('folder', folder, pathB64), ...options }),
    );
  withPages(program.command('history'))
    .description('show when one path changed')
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .argument('[path]', 'as in the backup: shadow/var/www/html/index.php')
    .action((unit: string, path: string | undefined, { pathB64, ...options }: PageOptions) =>
      perform('history', { unit, ...onePath('path', path, pathB64), ...options }),
    );
  withPages(program.command('diff'))
    .description('compare two points in time, or one with the server as it is')
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .addOption(serverOption())
    .addOption(copyOption('--from-copy'))
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .argument('[folder]', 'only this path and what is below it')
    .option('--from <time>', 'as --at of ls (default: latest)')
    .option('--to <time>', 'as --at of ls (default: latest)')
    .option('--live', 'compare with the server as it is now; no content is read')
    .action((unit: string, folder: string | undefined, { pathB64, ...options }: PageOptions) =>
      perform('diff', { unit, ...onePath('folder', folder, pathB64), ...options }),
    );
}
