import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync, write } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { asFailure, Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { Destination } from './file-sink.ts';

/** In milliseconds: how long a reader may take to come, and then to take the next bytes. */
const READER_PATIENCE = 10 * 60_000;
const LOOK_AGAIN = 50;

const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
const writeSome = promisify(write);

/**
 * A FIFO that somebody made for one reader, as the panel's file manager does. It waits for the reader, and takes the name away when there is
 * one, or nobody came. Only an owner's FIFO in `/tmp` under a name of that account is an owner's. Throws `unsafe_path`.
 */
export async function fifoAt(path: string, account: string | undefined, signal: AbortSignal): Promise<Destination> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const isOwners = account === undefined || new RegExp(`^/tmp/id-${account}-[0-9A-Za-z]{16,}$`).test(path);
  if (stat?.isFIFO() !== true || (stat.mode & 0o077) !== 0 || !isOwners) {
    throw new Failure('unsafe_path', 'it is no FIFO that was made for one reader', { affected: [path] });
  }
  try {
    const descriptor = await untilRead(path, signal);
    const opened = fstatSync(descriptor);
    if (opened.ino !== stat.ino || opened.dev !== stat.dev) {
      closeSync(descriptor);
      throw new Failure('unsafe_path', 'something else was put in the place of the FIFO', { affected: [path] });
    }
    return {
      write: (bytes) => writeToReader(descriptor, bytes, signal),
      finish: async () => closeSync(descriptor),
      abandon: async () => closeSync(descriptor),
    };
  } finally {
    remove(path);
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}

/** Opens the FIFO when somebody has it open for reading. */
async function untilRead(path: string, signal: AbortSignal): Promise<number> {
  const end = performance.now() + READER_PATIENCE;
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
    } catch (error) {
      if (errorCode(error) !== 'ENXIO') throw error;
    }
    await waitOn(end, signal, 'nobody came to read the archive');
  }
}

async function writeToReader(descriptor: number, bytes: Buffer, signal: AbortSignal): Promise<void> {
  let end = performance.now() + READER_PATIENCE;
  for (let done = 0; done < bytes.length; ) {
    try {
      const { bytesWritten } = await writeSome(descriptor, bytes, done, bytes.length - done, null);
      done += bytesWritten;
      end = performance.now() + READER_PATIENCE;
    } catch (error) {
      if (errorCode(error) === 'EPIPE') throw new Failure('io_error', 'the reader of the archive went away', { retry: true, cause: error });
      if (errorCode(error) !== 'EAGAIN') throw asFailure(error);
      await waitOn(end, signal, 'the reader of the archive does not go on reading');
    }
  }
}

async function waitOn(end: number, signal: AbortSignal, problem: string): Promise<void> {
  if (signal.aborted) throw new Failure('cancelled', 'the download was stopped');
  if (performance.now() > end) throw new Failure('io_error', problem, { retry: true });
  await pause(LOOK_AGAIN, undefined, { signal }).catch(() => {});
}
