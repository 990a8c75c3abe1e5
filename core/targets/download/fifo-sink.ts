import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync, write } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ByteSink } from '../../archive/archive-output.ts';
import { asFailure, Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { Destination } from './file-sink.ts';

/**
 * How long a reader is waited for. One who takes a byte now and then would hold the place of other owners' jobs, and keep this account from
 * being pruned, for as long as it likes.
 */
export interface ReaderPatience {
  /** Milliseconds until it comes. */
  readonly toCome: number;
  /** Milliseconds that it may have this program wait for each `bytes`. */
  readonly toTake: number;
  readonly bytes: number;
  /** Milliseconds that it may have this program wait in all. */
  readonly inAll: number;
}

const USUAL: ReaderPatience = { toCome: 10 * 60_000, toTake: 10 * 60_000, bytes: 1024 * 1024, inAll: 24 * 3_600_000 };
const LOOK_AGAIN = 50;

const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
const writeSome = promisify(write);

/**
 * A FIFO that somebody made for one reader, as the panel's file manager does. It waits for the reader, and takes the name away when there is
 * one, or nobody came. Only an owner's FIFO in `/tmp` under a name of that account is an owner's. Throws `unsafe_path`.
 */
export async function fifoAt(
  path: string,
  account: string | undefined,
  signal: AbortSignal,
  patience: ReaderPatience = USUAL,
): Promise<Destination> {
  const stat = readersFifo(path, account);
  if (stat === undefined) throw new Failure('unsafe_path', 'it is no FIFO that was made for one reader', { affected: [path] });
  try {
    const descriptor = await untilRead(path, signal, patience);
    const opened = fstatSync(descriptor);
    if (opened.ino !== stat.ino || opened.dev !== stat.dev) {
      closeSync(descriptor);
      throw new Failure('unsafe_path', 'something else was put in the place of the FIFO', { affected: [path] });
    }
    return {
      write: writerTo(descriptor, signal, patience),
      finish: async () => closeSync(descriptor),
      abandon: async () => closeSync(descriptor),
    };
  } finally {
    remove(path);
  }
}

/** What stands there, where it is a FIFO as described above. */
function readersFifo(path: string, account: string | undefined): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const isOwners = account === undefined || new RegExp(`^/tmp/id-${account}-[0-9A-Za-z]{16,}$`).test(path);
  return stat?.isFIFO() === true && (stat.mode & 0o077) === 0 && isOwners ? stat : undefined;
}

/**
 * Takes a FIFO away that gets no archive. Whoever waits in it would wait for ever: now it reads that there is nothing. Does nothing where it is
 * gone, as it is behind a reader who came. Never throws.
 */
export function dismissReader(path: string, account: string | undefined): void {
  try {
    if (readersFifo(path, account) === undefined) return;
    try {
      closeSync(openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW));
    } finally {
      remove(path);
    }
  } catch {
    // Nobody has it open.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

/** Opens the FIFO when somebody has it open for reading. */
async function untilRead(path: string, signal: AbortSignal, { toCome }: ReaderPatience): Promise<number> {
  const end = performance.now() + toCome;
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
    } catch (error) {
      if (errorCode(error) !== 'ENXIO') throw error;
    }
    if (performance.now() > end) throw new Failure('io_error', 'nobody came to read the archive', { retry: true });
    await waitOn(signal);
  }
}

function writerTo(descriptor: number, signal: AbortSignal, { toTake, bytes: stretch, inAll }: ReaderPatience): ByteSink {
  let waitedInAll = 0;
  let waited = 0;
  let taken = 0;
  return async (bytes) => {
    for (let done = 0; done < bytes.length; ) {
      try {
        const { bytesWritten } = await writeSome(descriptor, bytes, done, bytes.length - done, null);
        done += bytesWritten;
        taken += bytesWritten;
        if (taken >= stretch) [taken, waited] = [0, 0];
      } catch (error) {
        if (errorCode(error) === 'EPIPE')
          throw new Failure('io_error', 'the reader of the archive went away', { retry: true, cause: error });
        if (errorCode(error) !== 'EAGAIN') throw asFailure(error);
        if (waited > toTake || waitedInAll > inAll)
          throw new Failure('io_error', 'the reader of the archive reads too slowly, or not at all', { retry: true });
        const since = performance.now();
        await waitOn(signal);
        waited += performance.now() - since;
        waitedInAll += performance.now() - since;
      }
    }
  };
}

async function waitOn(signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Failure('cancelled', 'the download was stopped');
  await pause(LOOK_AGAIN, undefined, { signal }).catch(() => {});
}
