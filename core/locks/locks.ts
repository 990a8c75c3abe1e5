import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { type LockMode, tryLock } from '../linux/locks.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,99}$/;
const OTHERS = 0o077;
const { O_RDWR, O_CREAT, O_NOFOLLOW, O_RDONLY } = constants;

/** Why a file cannot be made or written though nothing is wrong with it: no room, or everything there is read-only. */
const CANNOT_WRITE: ReadonlySet<unknown> = new Set(['EROFS', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM']);

/** How long between two looks whether a lock is free, in milliseconds. */
const LOOK_AGAIN = 200;

/** A lock that is held until it is released or this process ends. */
export interface Lock {
  release(): void;
}

/** How to wait for a lock. */
export interface Waiting {
  /** At most; 0 is not at all. */
  readonly minutes: number;
  readonly signal: AbortSignal;
  /** Called once, with the failure that it would be without waiting, when there is something to wait for. */
  readonly onWait: (failure: Failure) => void;
}

/** What a holder writes into its lock's file, for the message that others get. */
interface Holder {
  readonly pid: number;
  readonly what: string;
  /** RFC 3339 UTC. */
  readonly since: string;
}

function describeHolder(file: string): string {
  try {
    const { pid, what, since } = JSON.parse(readFileSync(file, 'utf8')) as Holder;
    return `${String(what)} (process ${Number(pid)}, since ${String(since)})`;
  } catch {
    // Between taking a lock and writing the note there is a moment without one; on a full disk there is none.
    return 'another process';
  }
}

/**
 * Opens a lock's file, whose folder nobody but root can enter. Undefined when it is not there and cannot be made: then nobody holds
 * the lock, and nobody can.
 */
function openLockFile(folder: string, file: string): number | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (error) {
    if (!CANNOT_WRITE.has((error as NodeJS.ErrnoException).code)) throw error;
  }
  try {
    return openSync(file, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The note is a courtesy: nothing fails for want of room for it. And whoever can open the file can hold the lock. */
function describeOurselves(descriptor: number, what: string): void {
  try {
    const { mode, size } = fstatSync(descriptor);
    if ((mode & OTHERS) !== 0) fchmodSync(descriptor, 0o600);
    const note = Buffer.from(JSON.stringify({ pid: process.pid, what, since: new Date().toISOString() } satisfies Holder));
    // Most notes are as long as the one before. Making a file shorter is slow, and a run takes a lock for each unit.
    if (size > note.length) ftruncateSync(descriptor, 0);
    writeSync(descriptor, note, 0, note.length, 0);
  } catch {}
}

/**
 * Takes the lock `name` below the state directory, without waiting. It is a flock(2): the kernel gives it back when its
 * holder ends in whatever way, so none is ever stale and none has to be broken. `what` says in a few words what it is taken
 * for. Works on a full and on a read-only disk. Throws `locked`, naming the holder, when somebody else has it.
 */
export function takeLock(stateDirectory: string, name: string, what: string, mode: LockMode = 'exclusive'): Lock {
  if (!NAME.test(name)) throw new Failure('internal', `${JSON.stringify(name)} cannot be the name of a lock`);
  const folder = join(stateDirectory, 'locks');
  const file = join(folder, `${name}.lock`);
  const descriptor = openLockFile(folder, file);
  if (descriptor === undefined) return { release: () => {} };
  try {
    if (!tryLock(descriptor, mode)) {
      throw new Failure('locked', `${name} is in use by ${describeHolder(file)}`, {
        affected: [name],
        advice: 'Wait until it has ended, then run again.',
        retry: true,
      });
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  describeOurselves(descriptor, what);
  let held = true;
  return {
    release: () => {
      // The file stays: removing it would let two processes lock two files of the same name.
      if (held) closeWhatever(descriptor);
      held = false;
    },
  };
}

/** Whether somebody holds a lock alone just now; for messages, and without leaving a trace. */
export function isLocked(stateDirectory: string, name: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(join(stateDirectory, 'locks', `${name}.lock`), O_RDONLY | O_NOFOLLOW);
  } catch {
    return false;
  }
  try {
    return !tryLock(descriptor, 'shared');
  } finally {
    closeSync(descriptor);
  }
}

/** The same, waiting for whoever has it. Throws `locked` when it is not free in time, `cancelled` when the signal is raised. */
export async function waitForLock(
  stateDirectory: string,
  name: string,
  what: string,
  { minutes, signal, onWait }: Waiting,
  mode: LockMode = 'exclusive',
): Promise<Lock> {
  const end = performance.now() + minutes * 60_000;
  for (let isFirst = true; ; isFirst = false) {
    if (signal.aborted) throw new Failure('cancelled', `stopped while waiting for ${name}`, { affected: [name] });
    try {
      return takeLock(stateDirectory, name, what, mode);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'locked' || performance.now() >= end) throw error;
      if (isFirst) onWait(error);
    }
    await wait(LOOK_AGAIN, undefined, { signal }).catch(() => {});
  }
}

/** Linux closes a descriptor also when it reports an error; who releases several locks must get to all of them. */
function closeWhatever(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // What was written into the file is a note for others, and nothing rests on it.
  }
}
