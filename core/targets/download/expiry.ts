import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import type { Settings } from '../../config/settings.ts';
import { closeDescriptor, openTrustedDirectory, unlinkAt } from '../../linux/files.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { UNFINISHED } from './file-sink.ts';

/** An archive that is to go. */
export interface ExpiringFile {
  /** The folder as it was opened, `folder` being its path. */
  readonly folder: ByteString;
  readonly folderInode: string;
  readonly name: ByteString;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** In milliseconds: what could not be removed by then is nobody's business any more. */
const GIVE_UP = 30 * 86_400_000;

function notesFolder(stateDirectory: string): string {
  return join(stateDirectory, 'downloads');
}

/** Before the file is made, so that none is left behind by whoever is killed. */
export function noteFile(stateDirectory: string, file: ExpiringFile): void {
  replaceFile(join(notesFolder(stateDirectory), `${file.name}.json`), Buffer.from(JSON.stringify(file)));
}

export function forgetFile(stateDirectory: string, name: ByteString): void {
  rmSync(join(notesFolder(stateDirectory), `${name}.json`), { force: true });
}

/** Removes the archives whose time is over. A folder that is another one now is let be. Never throws. */
export function removeExpired({ stateDirectory }: Pick<Settings, 'stateDirectory'>, now: number): void {
  for (const note of namesIn(notesFolder(stateDirectory))) {
    try {
      const file = JSON.parse(readFileSync(join(notesFolder(stateDirectory), note), 'utf8')) as ExpiringFile;
      if (now < file.expires) continue;
      if (removeFile(file) || now > file.expires + GIVE_UP) forgetFile(stateDirectory, file.name);
    } catch {
      // It is tried again next time.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** The names are nobody's who did not see them: nothing else has them, wherever the folder was moved. */
function removeFile({ folder, folderInode, name }: ExpiringFile): boolean {
  const descriptor = openTrustedDirectory(folder);
  try {
    const stat = new StatBuffer();
    if (!statAt(descriptor, '.', stat) || String(stat.inode) !== folderInode) return false;
    for (const each of [name, `${name}${UNFINISHED}`]) if (statAt(descriptor, each, stat)) unlinkAt(descriptor, each);
    return true;
  } finally {
    closeDescriptor(descriptor);
  }
}
