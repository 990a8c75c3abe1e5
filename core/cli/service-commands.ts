import type { Command } from 'commander';
import type { Actions } from './actions.ts';

/** The commands about backups that run by themselves: what the timer starts, how things stand, what is wrong. */
export function addServiceCommands(program: Command, { perform }: Actions): void {
  program
    .command('nightly')
    .description('the automatic backup, when it is due: run, prune, verify; started by the timer')
    .option('--now', 'also when it is not due, or automatic backups are off')
    .action((options: object) => perform('nightly', { ...options }));
  program
    .command('account')
    .description('what the panel’s hooks ask for: back up a new account soon, or one that is being deleted once more')
    .argument('<event>', 'created, renamed or deleting')
    .argument('<site>', 'such as site12')
    .action((event: string, unit: string) => perform('account', { event, unit }));
  program
    .command('watch')
    .description('tell people of an automatic backup that did not come; started by a timer of its own')
    .option('--test', 'send a message by every way that is set, to see whether it arrives')
    .action((options: object) => perform('watch', { ...options }));
  program
    .command('status')
    .description('tell for each unit its last backup, and what is overdue, missing or damaged')
    .action(() => perform('status', {}));
  program
    .command('doctor')
    .description('look at everything that backups need, and say what to do where something is wrong')
    .action(() => perform('doctor', {}));
}
