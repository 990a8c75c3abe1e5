import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { machineDocument, serverDocument } from './documents.ts';
import type { MachineRecord, RepositoryIdentity, ServerIdentity } from './identity.ts';
import { isServerId, isTimedId } from './ids.ts';
import { MACHINES_FOLDER, machinePath, recordIdOf, SERVER_FILE, SERVERS_FOLDER, serverFolder, UNITS_FOLDER } from './layout.ts';
import type { Machine } from './machine.ts';
import { FORMAT_VERSION } from './record.ts';
import { readDocument, writeDocument } from './stored-document.ts';

/** A server that has a folder in a repository. */
export interface KnownServer {
  readonly identity: ServerIdentity;
  /** The machine that writes there: the one that took the server over last, else the one that began it. */
  readonly writer: Machine;
  /** When it began to write there, RFC 3339 UTC. */
  readonly since: string;
  /** Why `server.json` or what says who writes cannot be used; what they would say is made up then. */
  readonly problem?: Failure;
}

/** The machine of a server of which nobody says who writes there. */
export const UNKNOWN_MACHINE = '';

/** The servers that write to a repository, by age. What of them is damaged is reported, and made up where there are units. */
export async function readServers(backend: Backend, repository: RepositoryIdentity, notify: Notify): Promise<KnownServer[]> {
  const servers: KnownServer[] = [];
  for (const id of (await backend.folders(SERVERS_FOLDER)).filter(isServerId)) {
    try {
      const server = await readServer(backend, repository, id);
      if (server === undefined) continue;
      servers.push(server);
      if (server.problem !== undefined) throw server.problem;
    } catch (error) {
      const { code, message, affected } = asFailure(error);
      notify({ level: 'error', code, message, affected });
    }
  }
  return servers.sort((a, b) => (a.identity.created < b.identity.created ? -1 : 1));
}

/**
 * One of them; undefined when nothing was stored there. A server whose `server.json` is missing or damaged has its backups all the same: then it is
 * made up, with a `problem`.
 */
export async function readServer(backend: Backend, repository: RepositoryIdentity, id: string): Promise<KnownServer | undefined> {
  const hasUnits = async (): Promise<boolean> => (await backend.folders(`${serverFolder(id)}/${UNITS_FOLDER}`)).length > 0;
  try {
    const known = await readSoundServer(backend, repository, id);
    if (known !== undefined || !(await hasUnits())) return known;
    const name = `${serverFolder(id)}/${SERVER_FILE}`;
    return madeUp(repository, id, new Failure('repository_damaged', `${name} is missing`, { affected: [name] }));
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== 'repository_damaged' || !(await hasUnits())) throw failure;
    return madeUp(repository, id, failure);
  }
}

function madeUp(repository: RepositoryIdentity, server: string, problem: Failure): KnownServer {
  const created = new Date(0).toISOString();
  const identity: ServerIdentity = {
    ...{ formatVersion: FORMAT_VERSION, repository: repository.id, server },
    ...{ name: server, machine: UNKNOWN_MACHINE, created },
  };
  return { identity, writer: identity, since: created, problem };
}

async function readSoundServer(backend: Backend, repository: RepositoryIdentity, id: string): Promise<KnownServer | undefined> {
  const name = `${serverFolder(id)}/${SERVER_FILE}`;
  if ((await backend.size(name)) === undefined) return undefined;
  const { value: identity } = await readDocument(backend, serverDocument, name);
  if (identity.server !== id || identity.repository !== repository.id) throw copied(name);
  const last = (await machineIds(backend, id)).at(-1);
  if (last === undefined) return { identity, writer: identity, since: identity.created };
  const writer = await readMachine(backend, identity, last);
  return { identity, writer, since: writer.created };
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

async function readMachine(backend: Backend, { server, repository }: ServerIdentity, id: string): Promise<MachineRecord> {
  const name = `${serverFolder(server)}/${machinePath(id)}`;
  const { value } = await readDocument(backend, machineDocument, name);
  if (value.id === id && value.server === server && value.repository === repository) return value;
  throw copied(name);
}

/** All machines that wrote as a server, as far as their records can be used. */
export async function formerWriters(backend: Backend, { identity }: KnownServer): Promise<Machine[]> {
  const machines: Machine[] = [identity];
  for (const id of await machineIds(backend, identity.server)) {
    try {
      machines.push(await readMachine(backend, identity, id));
    } catch {
      // What an unusable one would confirm is not confirmed.
    }
  }
  return machines;
}

function copied(name: string): Failure {
  return new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

/** Says which machine writes as a server from now on. */
export async function writeMachine(backend: Backend, record: MachineRecord): Promise<void> {
  await writeDocument(backend, machineDocument, `${serverFolder(record.server)}/${machinePath(record.id)}`, record);
}

/** The server that somebody names, by its id or by a host name. Throws `server_unknown`. */
export function namedServer(nameOrId: string, servers: readonly KnownServer[]): KnownServer {
  const isNamed = ({ identity, writer }: KnownServer) =>
    identity.server === nameOrId || identity.name === nameOrId || writer.name === nameOrId;
  const [found, ...others] = servers.filter(isNamed);
  if (found !== undefined && others.length === 0) return found;
  const advice = 'See `apiscp-backup servers`.';
  if (found === undefined)
    throw new Failure('server_unknown', `the repository has no server ${nameOrId}`, { affected: [nameOrId], advice });
  throw new Failure('server_unknown', `several servers are called ${nameOrId}; give the id of one`, {
    affected: [found, ...others].map(({ identity }) => identity.server),
    advice,
  });
}

/** A server for people: its id and its name. */
export function describeServer({ identity, writer }: KnownServer): string {
  return `${identity.server} (${writer.name})`;
}
