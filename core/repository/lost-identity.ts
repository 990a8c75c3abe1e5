import { asFailure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import {
  type DocumentKind,
  keyDocument,
  machineDocument,
  runDocument,
  serverDocument,
  snapshotDocument,
  unitDocument,
} from './documents.ts';
import type { RepositoryIdentity } from './identity.ts';
import { isServerId } from './ids.ts';
import { KEYS_FOLDER, MACHINES_FOLDER, RUNS_FOLDER, SERVER_FILE, SERVERS_FOLDER, serverFolder, UNITS_FOLDER } from './layout.ts';
import { FORMAT_VERSION } from './record.ts';
import { readUnjudged } from './stored-document.ts';

/** What every object of a server says of itself. */
interface Placed {
  readonly repository: string;
  readonly server: string;
}

async function serversOf(backend: Backend): Promise<string[]> {
  return (await backend.folders(SERVERS_FOLDER)).filter(isServerId).sort();
}

/** Whether any server has a folder there. */
export async function hasServers(backend: Backend): Promise<boolean> {
  return (await serversOf(backend)).length > 0;
}

/**
 * The repository that the objects of each server say they belong to; one item for each server of which anything can be read. Whoever only wants to know
 * whether one of them says `wanted` need not read a thousand: then that one is the last.
 */
export async function saidRepositories(backend: Backend, wanted?: string): Promise<string[]> {
  const said: string[] = [];
  for (const server of await serversOf(backend)) {
    for await (const value of objectsOf(backend, server)) {
      if (value?.server !== server) continue;
      said.push(value.repository);
      if (value.repository === wanted) return said;
      break;
    }
  }
  return said;
}

type Read = (backend: Backend, name: string) => Promise<Placed | undefined>;

function reading<T extends Placed>(kind: DocumentKind<T>): Read {
  return (backend, name) => soundOf(backend, kind, name);
}

/** Where else than in `server.json` a server says where it belongs, what is read soonest first. */
const FOLDERS: readonly (readonly [folder: string, names: RegExp, read: Read])[] = [
  [MACHINES_FOLDER, /\.json$/, reading(machineDocument)],
  [KEYS_FOLDER, /\.json$/, reading(keyDocument)],
  [RUNS_FOLDER, /\.json$/, reading(runDocument)],
  [UNITS_FOLDER, /\/unit\.json$/, reading(unitDocument)],
  [UNITS_FOLDER, /\/snapshots\/[^/]+\.json$/, reading(snapshotDocument)],
];

/** The objects of a server, one after the other; undefined for each that cannot be used. */
async function* objectsOf(backend: Backend, server: string): AsyncGenerator<Placed | undefined> {
  const folder = serverFolder(server);
  yield soundOf(backend, serverDocument, `${folder}/${SERVER_FILE}`);
  for (const [below, names, read] of FOLDERS) {
    try {
      for await (const { name } of backend.list(`${folder}/${below}/`)) if (names.test(name)) yield read(backend, name);
    } catch {
      // What cannot be listed says nothing.
    }
  }
}

/** Undefined for what cannot be used, or not be read today. */
async function soundOf<T>(backend: Backend, kind: DocumentKind<T>, name: string): Promise<T | undefined> {
  try {
    return (await readUnjudged(backend, kind, name)).value;
  } catch (error) {
    if (asFailure(error).code === 'internal') throw error;
    return undefined;
  }
}

/** `repository.json` as it may have been, by what the servers of the repository say. */
export async function toldIdentity(backend: Backend, id: string): Promise<RepositoryIdentity> {
  const begun: string[] = [];
  for (const server of await serversOf(backend)) {
    const identity = await soundOf(backend, serverDocument, `${serverFolder(server)}/${SERVER_FILE}`);
    if (identity?.repository === id) begun.push(identity.created);
  }
  const created = begun.sort()[0] ?? new Date().toISOString();
  const recipients = await toldRecipients(backend);
  return { formatVersion: FORMAT_VERSION, id, created, ...(recipients === undefined ? {} : { recipients }) };
}

/**
 * For whom it was to be encrypted: as the newest key record says that names anybody, so that nothing becomes plain by damage. Undefined, plain, where a server
 * has stored backups and never a key record; none where nobody can tell, so that the next server is asked.
 */
async function toldRecipients(backend: Backend): Promise<readonly string[] | undefined> {
  let isPlain = false;
  const records: { readonly id: string; readonly recipients: readonly string[] }[] = [];
  for (const server of await serversOf(backend)) {
    const folder = serverFolder(server);
    let isSilent = true;
    for await (const { name } of backend.list(`${folder}/${KEYS_FOLDER}/`)) {
      isSilent = false;
      const record = name.endsWith('.json') ? await soundOf(backend, keyDocument, name) : undefined;
      if (record === undefined || record.recipients.length === 0) continue;
      const own = [record.serverRecipient, record.passphraseRecipient];
      records.push({ id: record.id, recipients: record.recipients.filter((each) => !own.includes(each)) });
    }
    isPlain ||= isSilent && (await backend.folders(`${folder}/${UNITS_FOLDER}`)).length > 0;
  }
  const newest = records.sort((a, b) => (a.id < b.id ? -1 : 1)).at(-1);
  return newest?.recipients ?? (isPlain ? undefined : []);
}
