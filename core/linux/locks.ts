import { lastErrno, libc } from './libc.ts';
import { SystemError } from './system-error.ts';

/** One holder alone, or many who only keep one such away. */
export type LockMode = 'exclusive' | 'shared';

const OPERATIONS = { exclusive: 2, shared: 1 } as const;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/**
 * Takes the flock(2) of an open file, however it was opened, without waiting; false when somebody else has it. The kernel gives it
 * back when the descriptor closes or its process dies, so no lock is ever stale.
 */
export function tryLock(descriptor: number, mode: LockMode = 'exclusive'): boolean {
  if (libc.flock(descriptor, OPERATIONS[mode] | LOCK_NB) === 0) return true;
  const errno = lastErrno();
  if (errno === EWOULDBLOCK) return false;
  throw new SystemError('flock', errno);
}
