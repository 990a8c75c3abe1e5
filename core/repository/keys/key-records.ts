import { Failure } from '../../failure.ts';
import type { Backend } from '../backends/backend.ts';
import { keyDocument } from '../documents.ts';
import { isTimedId } from '../ids.ts';
import { KEYS_FOLDER, keyPath, recordIdOf, serverFolder } from '../layout.ts';
import type { Place } from '../opened-place.ts';
import { readDocument, writeDocument } from '../stored-document.ts';
import type { KeyRecord } from './key-record.ts';

/** The ids of a server's key records, oldest first. */
export async function keyIds(backend: Backend, server: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { name } of backend.list(`${serverFolder(server)}/${KEYS_FOLDER}/`)) {
    const id = recordIdOf(name);
    if (id !== undefined && isTimedId(id)) ids.push(id);
  }
  return ids.sort();
}

/** Throws `repository_damaged`. */
export async function readKey(place: Place, server: string, id: string): Promise<KeyRecord> {
  const name = `${serverFolder(server)}/${keyPath(id)}`;
  const { value } = await readDocument(place, keyDocument, name);
  if (value.id === id && value.server === server && value.repository === place.repository.id) return value;
  throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

export async function writeKey(place: Place, record: KeyRecord): Promise<void> {
  await writeDocument(place, keyDocument, `${serverFolder(record.server)}/${keyPath(record.id)}`, record);
}
