import { asFailure } from '../../failure.ts';
import type { Backend } from '../backends/backend.ts';
import { machineDocument, serverDocument } from '../documents.ts';
import type { MachineRecord } from '../identity.ts';
import { isTimedId } from '../ids.ts';
import { MACHINES_FOLDER, machinePath, recordIdOf, SERVER_FILE, serverFolder } from '../layout.ts';
import { readUnjudged } from '../stored-document.ts';

/** A machine record and the key that signed it. */
export interface SignedMachine {
  readonly record: MachineRecord;
  readonly signer: string;
}

/** What a server says about its keys. Nobody but these keys vouches for it. */
export interface Announcements {
  /** The host name, where anything says it. */
  readonly name: string | undefined;
  /** Public keys (raw, base64), the oldest first. */
  readonly keys: readonly string[];
  readonly machines: readonly SignedMachine[];
}

/** The ids of the records that say which machine writes as a server, oldest first. */
export async function machineIds(backend: Backend, server: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { name } of backend.list(`${serverFolder(server)}/${MACHINES_FOLDER}/`)) {
    const id = recordIdOf(name);
    if (id !== undefined && isTimedId(id)) ids.push(id);
  }
  return ids.sort();
}

/** The keys that sign `server.json` and the machine records of a server, and former ones that these name. What of these is damaged announces nothing. */
export async function readAnnouncements(backend: Backend, repository: string, server: string): Promise<Announcements> {
  const folder = serverFolder(server);
  const isOwn = (value: { readonly repository: string; readonly server: string }) =>
    value.repository === repository && value.server === server;
  const keys = new Set<string>();
  const machines: SignedMachine[] = [];
  let name: string | undefined;
  const identity = await soundOf(() => readUnjudged(backend, serverDocument, `${folder}/${SERVER_FILE}`));
  if (identity !== undefined && isOwn(identity.value)) {
    ({ name } = identity.value);
    if (identity.signer !== undefined) keys.add(identity.signer);
  }
  for (const id of await machineIds(backend, server)) {
    const machine = await soundOf(() => readUnjudged(backend, machineDocument, `${folder}/${machinePath(id)}`));
    if (machine?.signer === undefined || !isOwn(machine.value) || machine.value.id !== id) continue;
    ({ name } = machine.value);
    keys.add(machine.signer);
    for (const key of machine.value.formerKeys ?? []) keys.add(key);
    machines.push({ record: machine.value, signer: machine.signer });
  }
  return { name, keys: [...keys], machines };
}

/** Undefined for what is missing or damaged. Where the place gives nothing today, nobody can tell. */
async function soundOf<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!['repository_damaged', 'repository_newer'].includes(asFailure(error).code)) throw error;
    return undefined;
  }
}
