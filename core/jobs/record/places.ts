import { dirname, join } from 'node:path';

/** Where the records of jobs are, below the state directory, and what they are made of. */

export function jobsFolder(stateDirectory: string): string {
  return join(stateDirectory, 'jobs');
}

export function recordFolder(stateDirectory: string, id: string): string {
  return join(jobsFolder(stateDirectory), 'records', id);
}

/** The state directory that a job's folder is in. */
export function stateDirectoryOf(recordFolder: string): string {
  return dirname(dirname(dirname(recordFolder)));
}

export function ticketsFolder(stateDirectory: string): string {
  return join(jobsFolder(stateDirectory), 'tickets');
}

export const FILES = {
  /** Who asked for what; written once. */
  job: 'job.json',
  /** When its turn came. */
  begun: 'begun.json',
  progress: 'progress.json',
  outcome: 'outcome.json',
  /** Stands there when somebody asked it to stop. */
  cancel: 'cancel',
  events: 'events.jsonl',
  earlierEvents: 'events.1.jsonl',
  /** Room for a short outcome, for the day on which the disk is full. */
  reserve: 'reserve',
} as const;
