import { constants } from 'node:os';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const PR_SET_PDEATHSIG = 1;

/** Has the system kill this process when its parent ends, whose id is given; at once when that happened already. */
export function endWithParent(parent: number): void {
  check(libc.prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL, 0, 0, 0), 'prctl');
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}
