/**
 * Runs all tests: first those that care only for themselves, as many files at a time as there are processors; then, one after the other,
 * those that need the machine for themselves. Arguments go to mocha.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from './program.ts';

/** They race with the program, stop it at a moment of their choice, or watch load, memory or the number of processes. */
const ALONE = [
  'test/attacks/*.test.ts',
  'test/build/executable.test.ts',
  'test/end-to-end/changing-files.test.ts',
  'test/end-to-end/interruption.test.ts',
  'test/end-to-end/limits.test.ts',
  'test/faults/watchers.test.ts',
  'test/rpc/unread-answers.test.ts',
  'test/scan/read/read-ahead.test.ts',
];

async function mocha(...args: string[]): Promise<number> {
  const command = join(ROOT, 'node_modules/.bin/mocha');
  const { exitCode = 1 } = await execa(command, [...args, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit', reject: false });
  return exitCode;
}

const ignored = ALONE.flatMap((pattern) => ['--ignore', pattern]);
const together = await mocha('--parallel', '--jobs', `${availableParallelism()}`, ...ignored, 'test/**/*.test.ts');
const alone = await mocha(...ALONE);
process.exitCode = Math.max(together, alone);
