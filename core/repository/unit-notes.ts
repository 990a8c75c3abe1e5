import { asFailure, Failure } from '../failure.ts';
import { noteDocument } from './documents.ts';
import { keepRemovedNote, readRemovedNotes } from './history/seen.ts';
import { isTimedId } from './ids.ts';
import { objectMissing } from './kept-objects.ts';
import { reveal, writeSealed } from './keys/sealed-members.ts';
import { NOTES_FOLDER, notePath, recordIdOf, serverFolder } from './layout.ts';
import type { ServerFolder } from './server-folder.ts';
import { readDocument, readKept } from './stored-document.ts';
import type { UnitNote } from './unit-note.ts';

/**
 * The notes about the units of a server, oldest first; one that cannot be used, or is gone, is given to `report`. Then the copy in the state directory counts;
 * without one it is left out, of which `onLeftOut` hears: in doubt nobody's backups are another's.
 */
export async function readNotes(
  folder: ServerFolder,
  report: (error: unknown) => void,
  onLeftOut: (failure: Failure) => void,
): Promise<UnitNote[]> {
  const { backend, server, identity } = folder;
  const removed = new Set(readRemovedNotes(folder.stateFolder));
  const notes: UnitNote[] = [];
  const listed = new Set<string>();
  for await (const { name } of backend.list(`${serverFolder(server)}/${NOTES_FOLDER}/`)) {
    listed.add(name);
    const id = recordIdOf(name);
    if (id === undefined || !isTimedId(id)) continue;
    try {
      if (removed.has(id)) throw putBack(name);
      const { value } = await readDocument(folder, noteDocument, name);
      const isOwn = value.id === id && value.repository === identity.id && value.server === server;
      if (!isOwn) throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
      notes.push(value);
    } catch (error) {
      // Somebody may have taken it back since it was listed.
      if ((await backend.size(name)) === undefined) continue;
      report(error);
      const kept = folder.isOwn ? readKept(folder, noteDocument, name) : undefined;
      if (kept !== undefined) notes.push(kept);
      else onLeftOut(asFailure(error));
    }
  }
  for (const name of await folder.missingObjects(`${NOTES_FOLDER}/`, listed)) {
    report(objectMissing(name));
    const kept = readKept(folder, noteDocument, name);
    if (kept !== undefined) notes.push(kept);
    else onLeftOut(objectMissing(name));
  }
  return notes.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function writeNote(folder: ServerFolder, note: UnitNote): Promise<void> {
  await writeSealed(noteDocument, folder.nameOf(notePath(note.id)), note, folder);
}

/** The domain that an account has since a note; undefined where it says none. Throws `identity_missing`, `identity_wrong`, `repository_damaged`. */
export async function notedDomain(folder: ServerFolder, note: UnitNote): Promise<string | undefined> {
  return (await reveal(noteDocument, folder.nameOf(notePath(note.id)), note, folder.keys)).domain;
}

/** Removes a note, and takes it for nobody's word from then on, should it stand there again. */
export async function removeNote(folder: ServerFolder, { id }: UnitNote): Promise<void> {
  await folder.removeObject(notePath(id));
  try {
    keepRemovedNote(folder.stateFolder, id);
  } catch {
    // Then it would be taken for the server's, which it was.
  }
}

/** The failure that a note stands there which this machine removed. */
export function putBack(name: string): Failure {
  return new Failure('repository_damaged', `${name} was taken back by this server, and somebody put it there again`, { affected: [name] });
}
