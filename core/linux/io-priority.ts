import { libc } from './libc.ts';
import { check } from './system-error.ts';

// Numbers of the system calls on x86-64: the C library has no function for them.
const IOPRIO_SET = 251;
const IOPRIO_GET = 252;

// linux/ioprio.h.
const WHO_PROCESS = 1;
const CLASS_SHIFT = 13;
const CLASSES = { none: 0, 'best-effort': 2, idle: 3 } as const;

/**
 * The class and the level in it as the kernel keeps them in one number. A larger one gives way to a smaller one, but for that
 * of a thread that never had one set.
 */
export function ioPriority(ioClass: 'best-effort' | 'idle', level: number): number {
  return (CLASSES[ioClass] << CLASS_SHIFT) | (ioClass === 'idle' ? 0 : level);
}

/** Whether this stands for none set: the kernel then goes by the nice value. */
export function followsNice(priority: number): boolean {
  return priority >> CLASS_SHIFT === CLASSES.none;
}

/** What the kernel takes instead when none is set. */
export function ioPriorityOfNice(nice: number): number {
  return ioPriority('best-effort', Math.floor((nice + 20) / 5));
}

/** The io priority of a thread. */
export function getIoPriority(thread: number): number {
  return check(libc.syscall(IOPRIO_GET, WHO_PROCESS, thread, 0), 'ioprio_get');
}

/** Gives a thread, one of this process or of the same user, an io priority. */
export function setIoPriority(thread: number, priority: number): void {
  check(libc.syscall(IOPRIO_SET, WHO_PROCESS, thread, priority), 'ioprio_set');
}
