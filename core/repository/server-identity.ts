import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { serverDocument } from './documents.ts';
import type { RepositoryIdentity } from './identity.ts';
import { isTimedId, newServerId, newTimedId, timeOfId } from './ids.ts';
import {
  describeServer,
  formerWriters,
  type KnownServer,
  machineIds,
  namedServer,
  readServer,
  readServers,
  UNKNOWN_MACHINE,
  writeMachine,
} from './known-servers.ts';
import { RUNS_FOLDER, recordIdOf, SERVER_FILE, serverFolder } from './layout.ts';
import { differences, hasChangingName, type Machine, thisMachine } from './machine.ts';
import { FORMAT_VERSION } from './record.ts';
import { knownRuns, readServerState, strangeRuns, writeServerState } from './server-state.ts';
import { writeDocument } from './stored-document.ts';

/** Where a machine looks for who it is. */
export interface Place {
  readonly backend: Backend;
  readonly repository: RepositoryIdentity;
  /** The state that belongs to the repository. */
  readonly stateFolder: string;
  readonly notify: Notify;
}

/** A server whose folder is meant; `isOwn` says that this machine writes there. */
export interface ChosenServer {
  readonly server: string;
  readonly isOwn: boolean;
}

/** The ids of the runs of a server, oldest first. */
export async function runIds(backend: Backend, server: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { name } of backend.list(`${serverFolder(server)}/${RUNS_FOLDER}/`)) {
    const id = recordIdOf(name);
    if (id !== undefined && isTimedId(id)) ids.push(id);
  }
  return ids.sort();
}

/** A server that this machine may be, and what speaks against it. */
interface Candidate {
  readonly server: KnownServer;
  /** In words; empty when nothing does. */
  readonly doubts: readonly string[];
  /** Whether the state directory says so, and not the repository alone. */
  readonly isRemembered: boolean;
}

/** Who this machine is as its state, or else the repository knows it; undefined when it was never here. */
async function findSelf(place: Place): Promise<Candidate | undefined> {
  const { backend, repository, stateFolder, notify } = place;
  const here = thisMachine();
  const before = readServerState(stateFolder);
  // The runs first: a run that ends now is written into the state before its record is.
  const runs = before === undefined ? [] : await runIds(backend, before.server);
  const state = readServerState(stateFolder);
  // The state of a clone that has a machine id of its own names the server that it was cloned from, which goes on writing.
  if (state?.machine === here.machine) {
    const server = await readServer(backend, repository, state.server);
    if (server !== undefined) {
      const doubts = await doubtsAbout(here, server, place);
      const strange = state.server === before?.server ? strangeRuns(state, runs) : [];
      if (strange.length > 0) doubts.push(`it made the run ${strange.at(-1)}, of which the state directory here knows nothing`);
      return { server, doubts, isRemembered: true };
    }
  }
  const alike = (await readServers(backend, repository, notify)).filter(({ writer }) => writer.machine === here.machine);
  const candidates = alike.map((server): Candidate => ({ server, doubts: differences(here, server.writer), isRemembered: false }));
  const certain = candidates.filter(({ doubts }) => doubts.length === 0);
  const [only, ...others] = certain.length > 0 ? certain : candidates;
  if (only === undefined || others.length === 0) return only;
  return { ...only, doubts: [...only.doubts, `${others.length + 1} servers have the id of this machine`] };
}

async function doubtsAbout(here: Machine, server: KnownServer, place: Place): Promise<string[]> {
  const { problem, writer } = server;
  if (problem !== undefined) place.notify({ level: 'error', code: problem.code, message: problem.message, affected: problem.affected });
  // The state knows that this machine wrote there, and nobody says that another one does.
  if (writer.machine === UNKNOWN_MACHINE) return [];
  return writer.machine === here.machine ? changesOf(here, server, place) : [takenOver(server)];
}

/**
 * What speaks against this machine, which has its state, being the one that wrote last. The runs that the state knows tell a clone by, too.
 */
async function changesOf(here: Machine, server: KnownServer, { backend }: Place): Promise<string[]> {
  const changes = differences(here, server.writer);
  if (changes.length === 0 || !hasChangingName(here, await formerWriters(backend, server))) return changes;
  return differences({ ...here, name: server.writer.name }, server.writer);
}

function takenOver({ writer, since }: KnownServer): string {
  return `the machine ${writer.name} took it over at ${since}`;
}

/**
 * The server as which this machine writes; a machine that was never here before begins one. Throws `server_contested` when it could be
 * another machine's: two machines must never write below one folder.
 */
export async function establishServer(place: Place): Promise<ChosenServer> {
  const self = await findSelf(place);
  if (self === undefined) return foundServer(place);
  const { server, doubts, isRemembered } = self;
  const { server: id } = server.identity;
  if (doubts.length > 0) {
    throw new Failure(
      'server_contested',
      `this machine wrote as the server ${describeServer(server)}, or is a clone of it: ${doubts.join('; ')}`,
      {
        affected: [id],
        advice: `If this machine goes on as that server, and no other does: \`apiscp-backup adopt ${id}\`. If it is another one: \`apiscp-backup init --new-server\`.`,
      },
    );
  }
  if (!isRemembered) {
    report(
      place,
      'state_lost',
      `the state directory does not know this server; going on as ${describeServer(server)}, as the repository does`,
      id,
    );
    remember(place, id, await runIds(place.backend, id));
  }
  return { server: id, isOwn: true };
}

/** Begins a server for this machine, whoever it was before. */
export async function foundServer(place: Place): Promise<ChosenServer> {
  const { backend, repository, notify } = place;
  const others = await readServers(backend, repository, notify);
  const server = newServerId();
  const created = new Date().toISOString();
  const identity = { formatVersion: FORMAT_VERSION, repository: repository.id, server, ...thisMachine(), created };
  await writeDocument(backend, serverDocument, `${serverFolder(server)}/${SERVER_FILE}`, identity);
  remember(place, server, []);
  if (others.length > 0) {
    const names = others.map(describeServer).join(', ');
    const message = `this machine is a new server here, ${server}; the repository holds backups of ${names}. If it takes the place of one of them: \`apiscp-backup adopt\``;
    report(place, 'server_founded', message, server);
  }
  return { server, isOwn: true };
}

/** Makes this machine the continuation of a server, whoever wrote as that before. */
export async function takeOver(place: Place, { identity }: KnownServer, now: Date): Promise<void> {
  const { backend, repository } = place;
  const last = (await machineIds(backend, identity.server)).at(-1);
  // The last record says who writes, also when the one before was made by a clock that was ahead.
  const time = Math.max(now.getTime(), last === undefined ? 0 : timeOfId(last).getTime() + 1);
  const record = { formatVersion: FORMAT_VERSION, id: newTimedId(new Date(time)), repository: repository.id, server: identity.server };
  await writeMachine(backend, { ...record, ...thisMachine(), created: now.toISOString() });
  remember(place, identity.server, await runIds(backend, identity.server));
}

function remember({ stateFolder, notify }: Place, server: string, runs: readonly string[]): void {
  try {
    writeServerState(stateFolder, { server, machine: thisMachine().machine, runs: knownRuns(runs) });
  } catch (error) {
    // The repository says it, too; and what makes room on a full disk, or reads from a read-only one, must not need it.
    notify({
      level: 'warning',
      code: 'state_unusable',
      message: `the state cannot be kept: ${asFailure(error).message}`,
      affected: [stateFolder],
    });
  }
}

/**
 * The server whose backups are meant when nothing is going to be written: the one that was named, else this machine, or the only one
 * there is (a new machine that replaces a lost one). An id that nothing is stored under when there is no telling. Throws `server_unknown`.
 */
export async function chooseServer(place: Place, nameOrId?: string): Promise<ChosenServer> {
  const { backend, repository, notify } = place;
  const self = await findSelf(place);
  const isOwn = self !== undefined && self.doubts.length === 0;
  const own = self?.server.identity.server;
  if (nameOrId !== undefined) {
    const { server } = namedServer(nameOrId, await readServers(backend, repository, notify)).identity;
    return { server, isOwn: isOwn && server === own };
  }
  if (self !== undefined && own !== undefined) {
    if (self.doubts.length > 0)
      report(place, 'server_contested', `showing the backups of ${describeServer(self.server)}: ${self.doubts.join('; ')}`, own);
    else if (!self.isRemembered)
      report(place, 'state_lost', `the state directory does not know this server; taking it for ${describeServer(self.server)}`, own);
    return { server: own, isOwn };
  }
  const [only, ...others] = await readServers(backend, repository, notify);
  if (only === undefined) return { server: newServerId(), isOwn: false };
  if (others.length > 0) {
    const names = [only, ...others].map(describeServer).join(', ');
    report(place, 'server_foreign', `this machine has no backups here; name a server with --server: ${names}`);
    return { server: newServerId(), isOwn: false };
  }
  report(
    place,
    'server_foreign',
    `this machine has no backups here; showing those of ${describeServer(only)}, the only server`,
    only.identity.server,
  );
  return { server: only.identity.server, isOwn: false };
}

function report({ notify }: Place, code: string, message: string, ...affected: readonly string[]): void {
  notify({ level: 'warning', code, message, affected });
}
