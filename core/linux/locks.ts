import { lastErrno, libc } from './libc.ts';
import { SystemError } from './system-error.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/**
 * Takes the exclusive flock(2) of an open file without waiting; false when somebody else has it. The kernel gives it back
 * when the descriptor closes or its process dies, so no lock is ever stale.
 */
export function tryLock(descriptor: number): boolean {
  if (libc.flock(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = lastErrno();
  if (errno === EWOULDBLOCK) return false;
  throw new SystemError('flock', errno);
}
