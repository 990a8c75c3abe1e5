import { closeSync, constants, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { tryLock } from '../linux/locks.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,99}$/;

/** A lock that is held until it is released or this process ends. */
export interface Lock {
  release(): void;
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
    // Between taking a lock and writing the note there is a moment without one.
    return 'another process';
  }
}

/**
 * Takes the lock `name` below the state directory, without waiting. It is a flock(2): the kernel gives it back when its
 * holder ends in whatever way, so none is ever stale and none has to be broken. `what` says in a few words what it is taken
 * for. Throws `locked`, naming the holder, when somebody else has it.
 */
export function takeLock(stateDirectory: string, name: string, what: string): Lock {
  if (!NAME.test(name)) throw new Failure('internal', `${JSON.stringify(name)} cannot be the name of a lock`);
  const folder = join(stateDirectory, 'locks');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}.lock`);
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!tryLock(descriptor)) {
      throw new Failure('locked', `${name} is in use by ${describeHolder(file)}`, {
        affected: [name],
        advice: 'Wait until it has ended, then run again.',
        retry: true,
      });
    }
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, JSON.stringify({ pid: process.pid, what, since: new Date().toISOString() } satisfies Holder), 0);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let held = true;
  return {
    release: () => {
      // The file stays: removing it would let two processes lock two files of the same name.
      if (held) closeSync(descriptor);
      held = false;
    },
  };
}
