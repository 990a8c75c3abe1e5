import { type Command, Option } from 'commander';
import { Failure } from '../failure.ts';
import type { Actions } from './actions.ts';
import { copyOption } from './identity-commands.ts';
import { backgroundOption, performLong } from './job-commands.ts';
import { minutes } from './minutes.ts';
import { pathArguments } from './path-arguments.ts';
import { saysAll, unitArguments } from './unit-arguments.ts';

interface PruneOptions {
  readonly simulate?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly acceptMissing?: true;
  readonly wait?: number;
  readonly fromCopy?: string;
}

/** The commands about what is kept, and what is backed up at all. */
export function addRetentionCommands(program: Command, actions: Actions): void {
  const { perform } = actions;
  program
    .command('prune')
    .description('delete the snapshots that no rule of retention keeps')
    .argument('[unit...]', 'site12 or system, all incarnations, or the id of a unit; none or all: everything')
    .option('--dry-run', 'delete nothing, show what would be kept and deleted, and by which rule')
    .option('--yes', 'confirm deleting more than the safety limit')
    .option('--accept-missing', 'what is missing of the history is lost, and known to be: miss it no more')
    .addOption(new Option('--wait <minutes>', 'wait for a backup in progress (default: 0)').argParser(minutes))
    .addOption(copyOption())
    .addOption(backgroundOption())
    .option('--simulate <duration>', 'show what schedule and retention will hold over time, such as 90d')
    .action((units: string[], { simulate, ...options }: PruneOptions) =>
      simulate === undefined
        ? performLong(actions, 'prune', { ...unitArguments(units), ...options })
        : perform('simulate', {
            ...unitArguments(units),
            duration: simulate,
            ...(options.fromCopy === undefined ? {} : { fromCopy: options.fromCopy }),
          }),
    );
  program
    .command('copy')
    .description('bring what is in the repository to its copies (setting copies)')
    .argument('[copy...]', 'names of copies; none or all: all')
    .addOption(backgroundOption())
    .action((copies: string[], options: object) =>
      performLong(actions, 'copy', { ...(copies.length === 0 || saysAll(copies) ? {} : { copies }), ...options }),
    );
  program
    .command('lock')
    .description('have the store lock for longer what is kept (setting s3.objectLock); the automatic backup does it, too')
    .addOption(copyOption())
    .action((options: object) => perform('lock', { ...options }));
  program
    .command('hold')
    .description('keep a snapshot whatever the rules of retention say')
    .argument('<snapshot>', 'its id, or with --unit latest or a time')
    .option('--unit <unit>', 'whose snapshot, unless it is named by its id')
    .requiredOption('--reason <text>', 'why, for those who find it later')
    .option('--until <time>', 'when the hold ends: 2027-06-30, "6 months" (default: when it is released)')
    .action((snapshot: string, options: object) => perform('hold', { snapshot, ...options }));
  program
    .command('release')
    .description('end all holds of a snapshot')
    .argument('<snapshot>', 'its id, or with --unit latest or a time')
    .option('--unit <unit>', 'whose snapshot, unless it is named by its id')
    .action((snapshot: string, options: object) => perform('release', { snapshot, ...options }));
  program
    .command('explain')
    .description('say why a path is in the backups, or is not')
    .argument('<unit>', 'site12 or system')
    .argument('[path]', 'as in the backup: shadow/var/www; it need not exist')
    .option('--path-b64 <base64>', 'the path, when its bytes are not UTF-8, in base64')
    .action((unit: string, path: string | undefined, { pathB64 }: { pathB64?: string }) => {
      const [only] = pathArguments(path === undefined ? [] : [path], pathB64 === undefined ? [] : [pathB64]);
      if (only === undefined) throw new Failure('usage', 'a path is needed, such as shadow/var/www, or its bytes with --path-b64');
      return perform('explain', { unit, path: only });
    });
}
