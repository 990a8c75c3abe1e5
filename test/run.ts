/**
 * Runs all tests: first those that care only for themselves, one file more at a time than there are processors, because many wait for a
 * disk, a server or a moment; then, one after the other, those that need the machine for themselves. Arguments go to mocha.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from './program.ts';

/**
 * They race with the program, stop it at a moment of their choice, watch load, memory or the number of processes, or need a disk back that another file's
 * mount namespace may still hold.
 */
const ALONE = [
  'test/attacks/*.test.ts',
  'test/backup/previous/devices.test.ts',
  'test/build/executable.test.ts',
  'test/end-to-end/changing-files.test.ts',
  'test/end-to-end/interruption.test.ts',
  'test/end-to-end/limits.test.ts',
  'test/faults/watchers.test.ts',
  'test/rpc/unread-answers.test.ts',
  'test/scan/read/read-ahead.test.ts',
];

/** They take longest, and begin: at the end one of them would run alone beside idle processors. */
const LONG = [
  'test/backup/failing-unit.test.ts',
  'test/faults/*.test.ts',
  'test/end-to-end/*.test.ts',
  'test/packaging/install.test.ts',
  'test/repository/keys/keys.test.ts',
  'test/object-stores/*.test.ts',
  'test/crashes/*.test.ts',
  'test/golden/*.test.ts',
  'test/databases/*.test.ts',
  'test/backup/**/*.test.ts',
  'test/damage/*.test.ts',
  'test/stand-in-panel/*.test.ts',
];

/** The files of patterns, each once, in their order. */
const filesOf = (patterns: readonly string[]): string[] => [
  ...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT }).sort())),
];

async function mocha(...args: string[]): Promise<number> {
  const command = join(ROOT, 'node_modules/.bin/mocha');
  const { exitCode = 1 } = await execa(command, [...args, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit', reject: false });
  return exitCode;
}

const alone = filesOf(ALONE);
const together = filesOf([...LONG, 'test/**/*.test.ts']).filter((file) => !alone.includes(file));
const ended = [await mocha('--parallel', '--jobs', `${availableParallelism() + 1}`, ...together), await mocha(...alone)];
process.exitCode = Math.max(...ended);
