import type { ThreadName } from './points.ts';

/** The errors that a call can end with; the numbers are Linux'. */
export const ERRNOS = { EIO: 5, EAGAIN: 11, EMFILE: 24, ENOSPC: 28, ETIMEDOUT: 110, ESTALE: 116, EDQUOT: 122 } as const;
export type ErrnoName = keyof typeof ERRNOS;

/**
 * What happens at a call. `errno`: it fails and has done nothing (a close has closed). `late`: it is done and fails all the same,
 * as an answer that got lost makes it. `short`: a read or a write does a part. `drop`: a message arrives as one that cannot be read.
 * `defect`: it throws a `TypeError`. `kill`: the thread ends; the main thread's death is that of the process, by SIGKILL.
 */
export const ACTIONS = ['errno', 'late', 'short', 'drop', 'defect', 'kill'] as const;
export type Action = (typeof ACTIONS)[number];

/** One fault: the `nth` call (from 1) of one name in one kind of thread, and what happens there. */
export interface Fault {
  readonly thread: ThreadName;
  readonly call: string;
  readonly nth: number;
  readonly action: Action;
  /** For `errno` and `late`. */
  readonly errno: ErrnoName;
  /** Whether all later ones of that name fail, too. */
  readonly forever: boolean;
}

/** A fault in words. */
export function faultText({ thread, call, nth, action, errno, forever }: Fault): string {
  const what = action === 'errno' ? errno : action === 'late' ? `${errno} after all` : action;
  return `${what} at ${call} number ${nth}${forever ? ' and all later ones' : ''} (${thread})`;
}
