import { constants } from 'node:os';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const SIG_UNBLOCK = 1;
/** Of `sigset_t` in glibc. */
const SET_BYTES = 128;

/**
 * Lets SIGUSR1 reach this process. Node keeps it from its main thread for the debugger, and goes on doing so when the debugger is
 * off. Must be called on the main thread.
 */
export function letProgressSignalThrough(): void {
  const set = Buffer.alloc(SET_BYTES);
  const bit = constants.signals.SIGUSR1 - 1;
  set[bit >> 3] = 1 << (bit & 7);
  check(libc.sigprocmask(SIG_UNBLOCK, set, null), 'sigprocmask');
}
