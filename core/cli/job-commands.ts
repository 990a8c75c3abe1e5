import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LongMethod } from '../schemas/jobs.ts';
import type { Actions } from './actions.ts';

/** An option of what can take long. */
export function backgroundOption(): Option {
  return new Option('--background', 'have a job do it, which outlives this terminal; answers with its id');
}

/** Does what can take long here, or has a job do it. */
export function performLong(
  { perform }: Actions,
  method: LongMethod,
  { background, ...request }: Readonly<Record<string, unknown>>,
): Promise<void> {
  return background === true ? perform('start', { method, request }) : perform(method, request);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a number.');
  return Number(text);
}

/** The commands about jobs. */
export function addJobCommands(program: Command, { perform }: Actions): void {
  program
    .command('jobs')
    .description('list jobs, the newest first: what runs, waits or has ended')
    .option('--live', 'only those that have not ended')
    .addOption(new Option('--limit <number>', 'maximum number of jobs (default: 100)').argParser(count))
    .action((options: object) => perform('jobs', { ...options }));
  program
    .command('job')
    .description('show how a job stands, and what came of it')
    .argument('<id>', 'as `jobs` shows it')
    .action((job: string) => perform('job', { job }));
  program
    .command('cancel')
    .description('have a job stop at the next safe point')
    .argument('<id>', 'as `jobs` shows it')
    .action((job: string) => perform('cancel', { job }));
  program
    .command('log')
    .description('show what a job told on the way')
    .argument('<id>', 'as `jobs` shows it')
    .addOption(new Option('--after <number>', 'only later events than this one').argParser(count))
    .action((job: string, options: object) => perform('log', { job, ...options }));
}
