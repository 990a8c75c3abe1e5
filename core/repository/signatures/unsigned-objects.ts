import { createHash } from 'node:crypto';
import type { Backend } from '../backends/backend.ts';
import type { AdoptedObject } from '../identity.ts';
import { serverFolder } from '../layout.ts';
import { signatureOf } from './signed-document.ts';

/** More than any JSON object may have, in bytes. */
const LARGEST = 64 * 1024 * 1024;

/** The JSON objects of a server that have no signature: what it wrote before there were any. Reads each of them. */
export async function unsignedObjects(backend: Backend, server: string): Promise<AdoptedObject[]> {
  const folder = `${serverFolder(server)}/`;
  const found: AdoptedObject[] = [];
  for await (const { name, size } of backend.list(folder)) {
    if (!name.endsWith('.json') || size > LARGEST) continue;
    const bytes = await backend.read(name, 0, size);
    if (signatureOf(bytes) !== undefined) continue;
    found.push({ path: name.slice(folder.length), sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
