import { asFailure, Failure } from '../failure.ts';
import { machineDocument, serverDocument } from './documents.ts';
import type { MachineRecord, ServerIdentity } from './identity.ts';
import { isServerId } from './ids.ts';
import { machinePath, SERVER_FILE, SERVERS_FOLDER, serverFolder, UNITS_FOLDER } from './layout.ts';
import type { Machine } from './machine.ts';
import type { Place } from './opened-place.ts';
import { FORMAT_VERSION } from './record.ts';
import { machineIds } from './signatures/announcements.ts';
import { readUnjudged, writeDocument } from './stored-document.ts';

/** A server that has a folder in a repository. */
export interface KnownServer {
  readonly identity: ServerIdentity;
  /** The machine that writes there: the one that took the server over last, else the one that began it. */
  readonly writer: Machine;
  /** When it began to write there, RFC 3339 UTC. */
  readonly since: string;
  /** The public key (raw, base64) that signed who writes there; undefined when none did. Nobody vouches for it but itself. */
  readonly key?: string;
  /** Why `server.json` or what says who writes cannot be used; what they would say is made up then. */
  readonly problem?: Failure;
}

/** The machine of a server of which nobody says who writes there. */
export const UNKNOWN_MACHINE = '';

/**
 * The servers that write to a repository, by age. What of them is damaged is reported, and made up where there are units. Those that are left
 * out, because the place does not give them today, go to `leftOut`.
 */
export async function readServers(place: Place, leftOut: Failure[] = []): Promise<KnownServer[]> {
  const { backend, notify } = place;
  const servers: KnownServer[] = [];
  for (const id of (await backend.folders(SERVERS_FOLDER)).filter(isServerId)) {
    const report = ({ code, message, affected }: Failure): void => notify({ level: 'error', code, message, affected });
    try {
      const server = await readServer(place, id);
      if (server === undefined) continue;
      servers.push(server);
      if (server.problem !== undefined) report(server.problem);
    } catch (error) {
      const failure = asFailure(error);
      report(failure);
      if (failure.code !== 'repository_damaged') leftOut.push(failure);
    }
  }
  return servers.sort((a, b) => (a.identity.created < b.identity.created ? -1 : 1));
}

/**
 * One of them; undefined when nothing was stored there. A server whose `server.json` is missing or damaged has its backups all the same: then it is
 * made up, with a `problem`.
 */
export async function readServer(place: Place, id: string): Promise<KnownServer | undefined> {
  const { backend } = place;
  const hasUnits = async (): Promise<boolean> => (await backend.folders(`${serverFolder(id)}/${UNITS_FOLDER}`)).length > 0;
  try {
    const known = await readSoundServer(place, id);
    if (known !== undefined || !(await hasUnits())) return known;
    const name = `${serverFolder(id)}/${SERVER_FILE}`;
    return madeUp(place, id, new Failure('repository_damaged', `${name} is missing`, { affected: [name] }));
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== 'repository_damaged' || !(await hasUnits())) throw failure;
    return madeUp(place, id, failure);
  }
}

function madeUp({ repository }: Place, server: string, problem: Failure): KnownServer {
  const created = new Date(0).toISOString();
  const identity: ServerIdentity = {
    ...{ formatVersion: FORMAT_VERSION, repository: repository.id, server },
    ...{ name: server, machine: UNKNOWN_MACHINE, created },
  };
  return { identity, writer: identity, since: created, problem };
}

async function readSoundServer(place: Place, id: string): Promise<KnownServer | undefined> {
  const { backend, repository, signatures } = place;
  const name = `${serverFolder(id)}/${SERVER_FILE}`;
  if ((await backend.size(name)) === undefined) return undefined;
  const stored = await readUnjudged(backend, serverDocument, name);
  await signatures.admitKnown(name, stored);
  const { value: identity, signer } = stored;
  if (identity.server !== id || identity.repository !== repository.id) throw copied(name);
  const last = (await machineIds(backend, id)).at(-1);
  const own = { identity, ...(signer === undefined ? {} : { key: signer }) };
  if (last === undefined) return { ...own, writer: identity, since: identity.created };
  const { record: writer, key = own.key } = await readMachine(place, identity, last);
  return { ...own, ...(key === undefined ? {} : { key }), writer, since: writer.created };
}

/** A machine record, and which key signed it: also one that is not known here, for then another machine may have gone on as the server. */
async function readMachine(
  { backend, signatures }: Place,
  { server, repository }: ServerIdentity,
  id: string,
): Promise<{ readonly record: MachineRecord; readonly key?: string }> {
  const name = `${serverFolder(server)}/${machinePath(id)}`;
  const stored = await readUnjudged(backend, machineDocument, name);
  const { value: record, signer } = stored;
  if (record.id !== id || record.server !== server || record.repository !== repository) throw copied(name);
  if (signer === undefined) await signatures.admitKnown(name, stored);
  return { record, ...(signer === undefined ? {} : { key: signer }) };
}

/** All machines that wrote as a server, as far as their records can be used. */
export async function formerWriters(place: Place, { identity }: KnownServer): Promise<Machine[]> {
  const machines: Machine[] = [identity];
  for (const id of await machineIds(place.backend, identity.server)) {
    try {
      machines.push((await readMachine(place, identity, id)).record);
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
export async function writeMachine(place: Place, record: MachineRecord): Promise<void> {
  await writeDocument(place, machineDocument, `${serverFolder(record.server)}/${machinePath(record.id)}`, record);
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
