import { closeSync, fsyncSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Failure } from '../failure.ts';
import { nameUnnamed, openAt, openTrustedDirectory, openUnnamed, syncNames, unlinkAt } from '../linux/files.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../linux/flags.ts';
import { StatBuffer, statAt } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import { writeAll } from '../linux/write-all.ts';
import type { ByteString } from '../manifest/entry.ts';

const PRIVATE = 0o600;

/**
 * Writes a new file that only root can read, at an absolute path to which root alone can change the way. It gets its name when it is whole
 * and on the disk; on a file system that has no files without a name, it has it from the beginning, and loses it when it cannot be
 * finished. Throws `target_in_the_way` when something stands there.
 */
export async function writeWholeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const [parent, name] = [dirname(path), basename(path)].map((each) => Buffer.from(each).toString('latin1')) as [ByteString, ByteString];
  // The dot has a link to the folder followed.
  const folder = openTrustedDirectory(`${parent}/.`);
  try {
    // Before a dump of hours, and not behind it.
    if (statAt(folder, name, new StatBuffer())) throw alreadyThere(path);
    const unnamed = openUnnamed(folder, PRIVATE);
    const file = unnamed ?? openAt(folder, name, O_WRONLY | O_CREAT | O_EXCL, PRIVATE);
    try {
      for await (const piece of pieces) writeAll(file, piece);
      fsyncSync(file);
      if (unnamed !== undefined && !nameUnnamed(file, folder, name)) throw alreadyThere(path);
    } catch (error) {
      if (unnamed === undefined) removeIfPossible(folder, name);
      throw error;
    } finally {
      closeWhatever(file);
    }
    syncNames(folder);
  } finally {
    closeWhatever(folder);
  }
}

function alreadyThere(path: string): Failure {
  return new Failure('target_in_the_way', `there is a file ${path} already`, { affected: [path], advice: 'Choose another name.' });
}

function removeIfPossible(folder: number, name: ByteString): void {
  try {
    unlinkAt(folder, name);
  } catch (error) {
    // Why it could not be written is what counts.
    if (errorCode(error) === undefined) throw error;
  }
}

/** Linux closes a descriptor also when it reports an error; what counts is on the disk by then. */
function closeWhatever(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // Said above.
  }
}
