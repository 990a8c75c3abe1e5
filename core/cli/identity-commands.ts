import { type Command, Option } from 'commander';
import type { Actions } from './actions.ts';

/** Whose backups a reading command means. */
/** Names a copy of the repository, which is meant instead; `diff` has another use for the short word. */
export function copyOption(flag: '--from' | '--from-copy' = '--from'): Option {
  const option = new Option(`${flag} <copy>`, 'a copy (setting copies) instead of the repository');
  return Object.assign(option, { attributeName: () => 'fromCopy' });
}

export function serverOption(): Option {
  return new Option('--server <name|id>', 'backups of another server in the repository, see `servers`');
}

/** Of several accounts that had one name. */
export function earlierOption(): Option {
  return new Option('--earlier', 'the account that had this name before');
}

/** The commands about whose backups are whose. */
export function addIdentityCommands(program: Command, { perform }: Actions): void {
  program
    .command('servers')
    .description('list the servers that have backups in the repository')
    .option('--trust <fingerprint>', 'take this key for one of its server’s from now on: you have compared it')
    .addOption(copyOption())
    .action((options: object) => perform('servers', { ...options }));
  program
    .command('adopt')
    .description('continue as another server, such as a lost one that this machine replaces')
    .argument('<server>', 'its name or id, see `servers`')
    .option('--yes', 'even if another machine wrote as it a short time ago')
    .action((server: string, options: object) => perform('adopt', { server, ...options }));
  program
    .command('join')
    .description('say that an earlier account and the present one of its name are the same customer’s')
    .argument('<unit-id>', 'the earlier one, such as site12-1f3a9c2e, see `list`')
    .action((unit: string) => perform('join', { unit }));
  program
    .command('forget')
    .description('say that an account, or what is missing of it, is gone for good; its backups stay')
    .argument('<unit>', 'site12, or the id of a unit')
    .action((unit: string) => perform('forget', { unit }));
}
