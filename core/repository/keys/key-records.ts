import { Failure } from '../../failure.ts';
import type { Backend } from '../backends/backend.ts';
import { keyDocument } from '../documents.ts';
import { isTimedId } from '../ids.ts';
import { KEYS_FOLDER, keyPath, recordIdOf, serverFolder } from '../layout.ts';
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
export async function readKey(backend: Backend, repository: string, server: string, id: string): Promise<KeyRecord> {
  const name = `${serverFolder(server)}/${keyPath(id)}`;
  const { value } = await readDocument(backend, keyDocument, name);
  if (value.id === id && value.server === server && value.repository === repository) return value;
  throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

export async function writeKey(backend: Backend, record: KeyRecord): Promise<void> {
  await writeDocument(backend, keyDocument, `${serverFolder(record.server)}/${keyPath(record.id)}`, record);
}
