import { write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** Writes all of `bytes`: the system may take fewer at a time. At `position`, or where the descriptor stands. */
export function writeAll(descriptor: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

const writeSome = promisify(write);

/** The same without keeping this thread, where the descriptor stands. */
export async function writeAllAsync(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeSome(descriptor, bytes, done, bytes.length - done, null);
    done += bytesWritten;
  }
}
