import type { Backend } from '../backends/backend.ts';
import { KEYS_FOLDER, NOTES_FOLDER, RUNS_FOLDER, serverFolder, UNITS_FOLDER } from '../layout.ts';
import { isGenuine, signatureOf } from './signed-document.ts';

/** More than any JSON object may have, in bytes. */
const LARGEST = 64 * 1024 * 1024;

/** An object of a server and the public key (raw, base64) that signed it, whosever that is. */
export interface SignedObject {
  readonly name: string;
  readonly key: string;
}

/** The objects of a server that a key signed, those first that say who reads, what ran and whose units are whose. Reads each, until the caller stops. */
export async function* signedObjects(backend: Backend, server: string): AsyncGenerator<SignedObject> {
  const folder = serverFolder(server);
  for (const below of [
    `${folder}/${KEYS_FOLDER}/`,
    `${folder}/${RUNS_FOLDER}/`,
    `${folder}/${NOTES_FOLDER}/`,
    `${folder}/${UNITS_FOLDER}/`,
  ]) {
    for await (const { name, size } of backend.list(below)) {
      if (!name.endsWith('.json') || size > LARGEST) continue;
      const signature = signatureOf(await backend.read(name, 0, size));
      if (signature !== undefined && isGenuine(signature, name)) yield { name, key: signature.key.toString('base64') };
    }
  }
}

/** So many objects are looked at when there is no hurry, but a person waits. */
const LOOKED_AT = 1000;

/** The keys that signed objects of a server, those of the first thousand. What a thief put there is among them. */
export async function signersOf(backend: Backend, server: string): Promise<string[]> {
  const keys = new Set<string>();
  let count = 0;
  for await (const { key } of signedObjects(backend, server)) {
    keys.add(key);
    if (++count >= LOOKED_AT) break;
  }
  return [...keys];
}
