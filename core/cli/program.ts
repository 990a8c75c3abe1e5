import { Command, Option } from 'commander';
import { PROGRAM } from '../version.ts';
import type { Actions } from './actions.ts';
import { addFleetCommands } from './fleet-commands.ts';
import { addIdentityCommands, copyOption, earlierOption, serverOption } from './identity-commands.ts';
import { addJobCommands, backgroundOption, performLong } from './job-commands.ts';
import { addKeys, identityOption, passphraseOption, recipientOption } from './key-commands.ts';
import { refuseOptionsAsValues } from './lost-values.ts';
import { minutes } from './minutes.ts';
import { somePaths } from './path-arguments.ts';
import { percent } from './percent.ts';
import { addReadingCommands } from './reading-commands.ts';
import { addRetentionCommands } from './retention-commands.ts';
import { addServiceCommands } from './service-commands.ts';
import { subjectArgument, unitArgument, unitArguments } from './unit-arguments.ts';

/** What every command may be given. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: true;
  readonly debug?: true;
  readonly stats?: true;
}

interface RestoreOptions {
  readonly fromCopy?: string;
  readonly server?: string;
  readonly earlier?: true;
  readonly at?: string;
  readonly to?: string;
  readonly onto?: string;
  readonly mapUser?: readonly string[];
  readonly mapGroup?: readonly string[];
  readonly overwrite?: string;
  readonly delete?: true;
  readonly recreate?: true;
  readonly withDatabases?: true;
  readonly dryRun?: true;
  readonly spaceCheck: boolean;
  readonly pathB64?: readonly string[];
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

/** `restore`, and `plan`, which takes the same. */
function addRestore(program: Command, actions: Actions): void {
  const { perform } = actions;
  const add = (name: 'restore' | 'plan', description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('<unit>', 'site12 or system, or the id of a unit')
      .argument('[path...]', 'as in the snapshot: shadow/var/www/html/index.php; none or all: everything')
      .addOption(serverOption())
      .addOption(copyOption())
      .addOption(earlierOption())
      .addOption(identityOption())
      .addOption(passphraseOption())
      .option('--at <time>', 'a snapshot, 2026-11-20, "yesterday 14:00" (default: latest)')
      .option('--to <directory>', 'restore below this folder (default: the original place)')
      .option('--onto <account>', 'give the files to another account of this server, and to its users by their names')
      .option('--map-user <old:new>', 'who gets what belonged to a user of the snapshot; names or ids; may be repeated', collect)
      .option('--map-group <old:new>', 'the same of a group; may be repeated', collect)
      .addOption(new Option('--overwrite <mode>', 'entries that exist (default: always)').choices(['always', 'changed', 'never']))
      .option('--delete', 'delete what the snapshot does not have')
      .option('--recreate', 'restore in place although the account is not on this server')
      .option('--path-b64 <base64>', 'a path whose bytes are not UTF-8, in base64; may be repeated', collect)
      .option('--no-space-check', 'begin even if the target seems to have too little room')
      .action((unit: string, paths: string[], { pathB64 = [], spaceCheck, mapUser, mapGroup, ...options }: RestoreOptions) => {
        const check = spaceCheck ? {} : { spaceCheck };
        const owners = { ...(mapUser && { mapUsers: mapUser }), ...(mapGroup && { mapGroups: mapGroup }) };
        const request = { unit, ...somePaths(paths, pathB64), ...options, ...owners, ...check };
        return name === 'plan' ? perform(name, request) : performLong(actions, name, request);
      });
  add('plan', 'show what a restore would read, write and overwrite');
  add('restore', 'restore a unit, or some of its paths, as it was')
    .addOption(backgroundOption())
    .option('--with-databases', 'of a whole account in its place: also its databases')
    .option('--dry-run', 'the same as plan');
}

/** `download`. */
function addDownload(program: Command, actions: Actions): void {
  program
    .command('download')
    .description(
      'write paths as they were to one archive (tar in zstd), with ACLs and attributes: to standard output, or a file in a folder',
    )
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .argument('[path...]', 'as in the snapshot: shadow/var/www, databases/mysql; none or all: everything')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .option('--at <time>', 'a snapshot, 2026-11-20, "yesterday 14:00" (default: latest)')
    .option('--to <directory>', 'make a file in this folder, which is removed after limits.downloadsFor')
    .option('--fifo <fifo>', 'give it to the first reader of a FIFO')
    .option('--path-b64 <base64>', 'a path whose bytes are not UTF-8, in base64; may be repeated', collect)
    .addOption(backgroundOption())
    .action((unit: string, paths: string[], { pathB64 = [], ...options }: { pathB64?: readonly string[] }) =>
      performLong(actions, 'download', { unit, ...somePaths(paths, pathB64), ...options }),
    );
}

/** `restore-database`. */
function addRestoreDatabase(program: Command, actions: Actions): void {
  program
    .command('restore-database')
    .description('bring databases of a unit back as they were; what is live is kept under another name')
    .argument('<unit>', 'site12 or system, or the id of a unit')
    .argument('[database...]', 'mysql/NAME or postgresql/NAME')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(earlierOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .option('--all', 'all databases that the snapshot has of the unit')
    .option('--at <time>', 'a snapshot, 2026-11-20, "yesterday 14:00" (default: latest)')
    .option('--onto <account>', 'into another account of this server, under its prefix')
    .option('--as <name>', 'restore the one database under another name, which must be free')
    .option('--to <file>', 'write the dump of the one database to a new file, and change no database')
    .option('--users', 'first bring the users of the unit back, with their passwords and rights')
    .option('--dry-run', 'change nothing, show what would be done')
    .addOption(backgroundOption())
    .action((unit: string, databases: string[], options: object) =>
      performLong(actions, 'restoreDatabase', { unit, ...(databases.length > 0 && { databases }), ...options }),
    );
}

/** The commands of `apiscp-backup`; each turns its arguments into the request of a method and decides nothing. */
export function buildProgram(actions: Actions): Command {
  const { perform } = actions;
  const program = new Command('apiscp-backup')
    .description('Full, differential and incremental backups of hosting accounts, restored exactly.')
    .version(PROGRAM.version)
    .option('--config <file>', 'settings file (default: /etc/apiscp-backup/config.json)')
    .option('--json', 'print one JSON result on stdout, also for errors')
    .option('--stats', 'count the requests to the repository, and their bytes')
    .option('--debug', 'show where a defect of this program is')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .helpCommand('help [command]', 'explain a command');
  program
    .command('init')
    .description('make the repository that the settings name')
    .addOption(recipientOption())
    .option('--passphrase-file <file>', 'encrypt so that the passphrase in this file opens it; - is standard input')
    .option('--server-can-read', 'this server keeps an identity itself, so that owners can restore (default: it can only write)')
    .option('--new-server', 'begin a new server for this machine, when it is a clone of one that goes on')
    .action(({ recipient, ...options }: { recipient?: readonly string[] }) =>
      perform('init', { ...(recipient && { recipients: recipient }), ...options }),
    );
  addKeys(program, actions);
  program
    .command('run')
    .description('back up the named units, or the whole server')
    .argument('[unit...]', 'site12 or system; none or all: everything')
    .addOption(
      new Option('--level <level>', 'what to store (default: as the schedule says)').choices([
        'auto',
        'full',
        'differential',
        'incremental',
        'synthetic',
      ]),
    )
    .option('--read-back', 'read again what was stored, before it is recorded (default: the setting readBack)')
    .addOption(new Option('--wait <minutes>', 'how long to wait for another run; 0: do not wait (default: limits.wait)').argParser(minutes))
    .addOption(backgroundOption())
    .action((units: string[], options: object) => performLong(actions, 'run', { ...unitArguments(units), ...options }));
  program
    .command('list')
    .description('list the snapshots, oldest first')
    .argument('[unit]', 'site12, system or the id of a unit, or a domain that an account has or had; none or all: everything')
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .option('--earlier', 'include what earlier accounts of this name left')
    .action((unit: string | undefined, options: object) => perform('list', { ...subjectArgument(unit), ...options }));
  addIdentityCommands(program, actions);
  addFleetCommands(program, actions);
  addReadingCommands(program, actions);
  addRestore(program, actions);
  addRestoreDatabase(program, actions);
  program
    .command('verify')
    .description('read everything that the snapshots need and compare it with their records')
    .argument('[unit]', 'site12, system or the id of a unit; none or all: everything')
    .option('--quick', 'read records and manifests only; of packs look whether they are there')
    .addOption(
      new Option('--sample <share>', 'as --quick, and read a share of the contents, such as 5%: others each time').argParser(percent),
    )
    .addOption(serverOption())
    .addOption(copyOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .addOption(backgroundOption())
    .action((unit: string | undefined, options: object) => performLong(actions, 'verify', { ...unitArgument(unit), ...options }));
  program
    .command('repair')
    .description('heal what is damaged, by recovery data and copies in the state directory')
    .argument('[unit]', 'site12, system or the id of a unit; none or all: everything')
    .option('--dry-run', 'say what would be healed, and change nothing')
    .addOption(copyOption())
    .addOption(backgroundOption())
    .action((unit: string | undefined, options: object) => performLong(actions, 'repair', { ...unitArgument(unit), ...options }));
  addDownload(program, actions);
  addRetentionCommands(program, actions);
  addJobCommands(program, actions);
  addServiceCommands(program, actions);
  program
    .command('rpc')
    .description('answer JSON-RPC 2.0 requests on stdin, one a line')
    .action(() => actions.serveRpc());
  refuseOptionsAsValues(program);
  return program;
}
