import type { Command } from 'commander';
import type { Actions } from './actions.ts';
import { copyOption } from './identity-commands.ts';
import { identityOption, passphraseOption } from './key-commands.ts';

/** The commands about all servers of a repository. */
export function addFleetCommands(program: Command, { perform }: Actions): void {
  program
    .command('fleet')
    .description('all servers that share a repository, from any machine that can read it')
    .command('status')
    .description('tell for each server its last backups, and what is overdue, failed, missing or damaged; writes nothing')
    .option('--repository <location>', 'where it is (default: the setting repository)')
    .option('--overdue-after <time>', 'how old the last backup of a unit may be (default: 36 hours)')
    .option('--sizes', 'list all objects: what each server takes, and whether its newest snapshots are there')
    .addOption(copyOption())
    .addOption(identityOption())
    .addOption(passphraseOption())
    .action((options: object) => perform('fleetStatus', { ...options }));
}
