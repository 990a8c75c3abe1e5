import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDurableFolder, syncFolder } from './durable-folder.ts';

/** New contents on their way: `server.json.1234-0a1b2c3d4e5f.tmp`, with the number of the process that writes them. */
const TEMPORARY = /\.(\d+)-[0-9a-f]{12}\.tmp$/;

/**
 * Gives a file new contents so that a reader, or a power failure, finds either the old or the new ones, whole. The new file
 * is readable by its owner alone; missing folders are made (0700). What a killed process left of an attempt is removed.
 */
export function replaceFile(file: string, contents: Uint8Array): void {
  const folder = dirname(file);
  makeDurableFolder(folder);
  removeAbandoned(folder);
  const temporary = `${file}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(descriptor, contents);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
  syncFolder(folder);
}

/**
 * Also that of other files in the folder: what is named by an id that was chosen anew is never written again. Nothing of this process is on
 * its way at this moment: a file is replaced in one go.
 */
function removeAbandoned(folder: string): void {
  try {
    for (const other of readdirSync(folder)) {
      const [, writer] = TEMPORARY.exec(other) ?? [];
      if (writer !== undefined && (Number(writer) === process.pid || !isAlive(Number(writer)))) removeIfThere(join(folder, other));
    }
  } catch {
    // It is in nobody's way.
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
