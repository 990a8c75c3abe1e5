import { asFailure } from '../../failure.ts';
import { snapshotDocument } from '../documents.ts';
import { isTimedId } from '../ids.ts';
import { recordIdOf, serverFolder, snapshotPath, UNITS_FOLDER } from '../layout.ts';
import type { Place } from '../opened-place.ts';
import { readDocument } from '../stored-document.ts';

/**
 * The id of the newest key record by which the newest backups of a server say that they are encrypted; undefined when none is. Reads one record of each
 * unit, and more where that is damaged.
 */
export async function newestReferencedKey(place: Place, server: string): Promise<string | undefined> {
  const records = new Map<string, string[]>();
  for await (const { name } of place.backend.list(`${serverFolder(server)}/${UNITS_FOLDER}/`)) {
    const [unit, id] = [name.split('/')[3] as string, recordIdOf(name) ?? ''];
    if (!isTimedId(id) || name !== `${serverFolder(server)}/${snapshotPath(unit, id)}`) continue;
    records.set(unit, [...(records.get(unit) ?? []), name]);
  }
  const ids: string[] = [];
  for (const names of records.values()) {
    const id = await newestOf(place, names.sort().reverse());
    if (id !== undefined) ids.push(id);
  }
  return ids.sort().at(-1);
}

async function newestOf(place: Place, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    try {
      return (await readDocument(place, snapshotDocument, name)).value.manifest.keys;
    } catch (error) {
      if (asFailure(error).retry) throw error;
    }
  }
  return undefined;
}
