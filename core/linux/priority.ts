import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { followsNice, getIoPriority, ioPriority, ioPriorityOfNice, setIoPriority } from './io-priority.ts';

const EPERM = 1;
const ESRCH = 3;
const EACCES = 13;

/** How much a process gives way to others. */
export interface Priority {
  /** 0 to 19, as for nice(1). */
  readonly nice: number;
  readonly ioClass: 'best-effort' | 'idle';
  /** 0 to 7 inside `best-effort`, 7 being the lowest. */
  readonly ioLevel: number;
}

/** What a thread had. */
interface Former {
  readonly nice: number;
  readonly io: number;
}

/**
 * Lowers the priority of every thread of this process; threads that are started later inherit it. One that is lower already
 * stays as it is. Returns what gives every thread back what it had. Throws a `SystemError` when the system refuses.
 */
export function lowerPriority(priority: Priority): () => void {
  const before = new Map<number, Former>();
  try {
    // Linux has a priority for each thread, and a thread not yet reached may start another one.
    for (let met = -1; met < before.size; ) {
      met = before.size;
      for (const thread of threads()) if (!before.has(thread)) unless([ESRCH], () => lower(thread, priority, before));
    }
  } catch (error) {
    giveBack(before);
    throw error;
  }
  return () => giveBack(before);
}

function threads(): number[] {
  return readdirSync('/proc/self/task').map(Number);
}

function lower(thread: number, { nice, ioClass, ioLevel }: Priority, before: Map<number, Former>): void {
  const former = { nice: getPriority(thread), io: getIoPriority(thread) };
  before.set(thread, former);
  const wanted = ioPriority(ioClass, ioLevel);
  const present = followsNice(former.io) ? ioPriorityOfNice(former.nice) : former.io;
  if (wanted > present) setIoPriority(thread, wanted);
  if (nice > former.nice) setPriority(thread, nice);
}

function giveBack(before: ReadonlyMap<number, Former>): void {
  // Threads that were started meanwhile have what the first one would have given them.
  const usual = before.get(process.pid);
  for (const thread of threads()) {
    const former = before.get(thread) ?? usual;
    if (former === undefined) continue;
    // Root alone may raise a nice value again; anybody else's process stays as it is.
    unless([ESRCH, EPERM, EACCES], () => {
      if (getIoPriority(thread) !== former.io) setIoPriority(thread, former.io);
      if (getPriority(thread) !== former.nice) setPriority(thread, former.nice);
    });
  }
}

/** Carries out what may fail in these ways: a thread can end at any time. */
function unless(errors: readonly number[], action: () => void): void {
  try {
    action();
  } catch (error) {
    // Node counts error numbers downwards.
    if (!errors.includes(Math.abs((error as NodeJS.ErrnoException).errno ?? 0))) throw error;
  }
}
