import type { DatabasePlace } from './database-place.ts';

export const DUMP_PROGRAM = 'mysqldump';

/** As ours dumps, so that all tools store the same. */
const OPTIONS = [
  '--single-transaction',
  '--quick',
  '--routines',
  '--events',
  '--triggers',
  '--hex-blob',
  '--skip-dump-date',
  '--no-tablespaces',
  '--default-character-set=utf8mb4',
];

/** The arguments of a dump, without the name of the database. */
export function dumpArguments({ optionFile }: DatabasePlace): string[] {
  return [`--defaults-file=${optionFile}`, ...OPTIONS];
}
