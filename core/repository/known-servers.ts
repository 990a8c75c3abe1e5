import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { machineDocument, serverDocument } from './documents.ts';
import type { MachineRecord, RepositoryIdentity, ServerIdentity } from './identity.ts';
import { isServerId, isTimedId } from './ids.ts';
import { MACHINES_FOLDER, machinePath, recordIdOf, SERVER_FILE, SERVERS_FOLDER, serverFolder } from './layout.ts';
import type { Machine } from './machine.ts';
import { readDocument, writeDocument } from './stored-document.ts';

/** A server that has a folder in a repository. */
export interface KnownServer {
  readonly identity: ServerIdentity;
  /** The machine that writes there: the one that took the server over last, else the one that began it. */
  readonly writer: Machine;
  /** When it began to write there, RFC 3339 UTC. */
  readonly since: string;
}

/** The servers that write to a repository, by age; damaged ones are reported and left out. */
export async function readServers(backend: Backend, repository: RepositoryIdentity, notify: Notify): Promise<KnownServer[]> {
  const servers: KnownServer[] = [];
  for (const id of (await backend.folders(SERVERS_FOLDER)).filter(isServerId)) {
    try {
      const server = await readServer(backend, repository, id);
      if (server !== undefined) servers.push(server);
    } catch (error) {
      const { code, message, affected } = asFailure(error);
      notify({ level: 'error', code, message, affected });
    }
  }
  return servers.sort((a, b) => (a.identity.created < b.identity.created ? -1 : 1));
}

/** One of them; undefined when it has no `server.json`. Throws `repository_damaged`. */
export async function readServer(backend: Backend, repository: RepositoryIdentity, id: string): Promise<KnownServer | undefined> {
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
