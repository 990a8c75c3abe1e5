import { keepInState } from '../context/keep-state.ts';
import type { NoticeCode } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { runDocument, serverDocument } from './documents.ts';
import { forgetSeenSnapshots, keepSeenRuns, readSeenRuns } from './history/seen.ts';
import { isTimedId, newestTimedId, newServerId } from './ids.ts';
import { letGoOfServer } from './kept-objects.ts';
import {
  describeServer,
  formerWriters,
  type KnownServer,
  namedServer,
  readServer,
  readServers,
  UNKNOWN_MACHINE,
  writeMachine,
} from './known-servers.ts';
import { RUNS_FOLDER, recordIdOf, runPath, SERVER_FILE, serverFolder } from './layout.ts';
import { differences, hasChangingName, type Machine, thisMachine } from './machine.ts';
import type { Place } from './opened-place.ts';
import { FORMAT_VERSION } from './record.ts';
import { knownRuns, readServerState, strangeRuns, writeServerState } from './server-state.ts';
import { machineIds, readAnnouncements } from './signatures/announcements.ts';
import { shownFingerprint } from './signatures/signatures.ts';
import { signersOf } from './signatures/signers.ts';
import { unsignedObjects } from './signatures/unsigned-objects.ts';
import { readUnjudged, writeDocument } from './stored-document.ts';

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

/**
 * Who this machine is as its state, or else the repository knows it; undefined when it was never here. It may be one of the servers that
 * are left out then, because the place does not give them today: these go to `leftOut`.
 */
async function findSelf(place: Place, leftOut: Failure[] = []): Promise<Candidate | undefined> {
  const { backend, whoFolder: stateFolder } = place;
  const here = thisMachine();
  const before = readServerState(stateFolder);
  // The runs first: a run that ends now is written into the state before its record is.
  const runs = before === undefined ? [] : await runIds(backend, before.server);
  const state = readServerState(stateFolder);
  // The state of a clone that has a machine id of its own names the server that it was cloned from, which goes on writing.
  if (state?.machine === here.machine) {
    const server = await readServer(place, state.server);
    if (server !== undefined) {
      const doubts = await doubtsAbout(here, server, place);
      const strange = state.server === before?.server ? await newestRun(place, state.server, strangeRuns(state, runs)) : undefined;
      if (strange !== undefined) doubts.push(`it made the run ${strange}, of which the state directory here knows nothing`);
      return { server, doubts, isRemembered: true };
    }
  }
  const alike = (await readServers(place, leftOut)).filter(({ writer }) => writer.machine === here.machine);
  const candidates = alike.map((server): Candidate => ({ server, doubts: differences(here, server.writer), isRemembered: false }));
  const certain = candidates.filter(({ doubts }) => doubts.length === 0);
  const [only, ...others] = certain.length > 0 ? certain : candidates;
  if (only === undefined || others.length === 0) return only;
  return { ...only, doubts: [...only.doubts, `${others.length + 1} servers have the id of this machine`] };
}

/** The newest of these runs that a machine made: a record that is none, such as a copy under another name, is damage and tells of no machine. */
async function newestRun({ backend }: Place, server: string, ids: readonly string[]): Promise<string | undefined> {
  for (const id of ids.toReversed()) {
    try {
      const { value } = await readUnjudged(backend, runDocument, `${serverFolder(server)}/${runPath(id)}`);
      if (value.id === id && value.server === server) return id;
    } catch (error) {
      if (asFailure(error).code !== 'repository_damaged') return id;
    }
  }
  return undefined;
}

/**
 * Where the state is lost, the repository alone says who this is. Objects by a key that nothing names as the server's, or a machine whose key signed nothing
 * else, say that somebody may have put another `server.json` there.
 */
async function strangeSigners({ identity: { server } }: KnownServer, { backend, repository, signatures }: Place): Promise<string[]> {
  const { keys } = await readAnnouncements(backend, repository.id, server);
  const known = new Set([...keys, ...signatures.trusted(server)]);
  if (known.size === 0) return [];
  const strange = (await signersOf(backend, server)).filter((key) => !known.has(key));
  if (strange.length === 0) return [];
  const [named, others] = [keys, strange].map((each) => each.map(shownFingerprint).join(' and '));
  return [
    `it names ${named} as its key, and its backups are signed with ${others}: somebody may have put another server.json there. Compare both with your note, say \`apiscp-backup servers --trust\` with the right one, and adopt it then`,
  ];
}

/** Who this machine is, or whose backups there are, nobody can tell while the place does not give one of the servers. */
function requireAll([first]: readonly Failure[]): void {
  if (first !== undefined) throw first;
}

async function doubtsAbout(here: Machine, server: KnownServer, place: Place): Promise<string[]> {
  const { problem, writer } = server;
  if (problem !== undefined) place.notify({ level: 'error', code: problem.code, message: problem.message, affected: problem.affected });
  // The state knows that this machine wrote there, and nobody says that another one does.
  if (writer.machine === UNKNOWN_MACHINE) return [];
  return writer.machine === here.machine ? changesOf(here, server, place) : [takenOver(server, place)];
}

/**
 * What speaks against this machine, which has its state, being the one that wrote last. The runs that the state knows tell a clone by, too.
 */
async function changesOf(here: Machine, server: KnownServer, place: Place): Promise<string[]> {
  const changes = differences(here, server.writer);
  if (changes.length === 0 || !hasChangingName(here, await formerWriters(place, server))) return changes;
  return differences({ ...here, name: server.writer.name }, server.writer);
}

function takenOver({ identity, writer, since, key }: KnownServer, { signatures }: Place): string {
  const isKnown = key === undefined || signatures.trusted(identity.server).includes(key);
  return `the machine ${writer.name} took it over at ${since}${isKnown ? '' : `, as the key ${shownFingerprint(key)} says, which is not known here`}`;
}

/**
 * The server as which this machine writes; a machine that was never here before begins one. Throws `server_contested` when it could be
 * another machine's: two machines must never write below one folder.
 */
export async function establishServer(place: Place): Promise<ChosenServer> {
  const leftOut: Failure[] = [];
  const self = await findSelf(place, leftOut);
  if (self === undefined) {
    requireAll(leftOut);
    return foundServer(place);
  }
  const { server, isRemembered } = self;
  const { server: id } = server.identity;
  // Whoever only reads is told of each object that another key has signed when it is read; looking at them all would cost a request each.
  const doubts = isRemembered ? self.doubts : [...self.doubts, ...(await strangeSigners(server, place))];
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
  const { repository, signatures } = place;
  const others = await readServers(place);
  const server = newServerId();
  const created = new Date().toISOString();
  const identity = { formatVersion: FORMAT_VERSION, repository: repository.id, server, ...thisMachine(), created };
  const { publicKey } = signatures.makeOwnKey(server);
  await writeDocument(place, serverDocument, `${serverFolder(server)}/${SERVER_FILE}`, identity);
  await signatures.trust(server, [publicKey.toString('base64')]);
  forgetFormer(place);
  remember(place, server, []);
  if (others.length > 0) {
    const names = others.map(describeServer).join(', ');
    const message = `this machine is a new server here, ${server}; the repository holds backups of ${names}. If it takes the place of one of them: \`apiscp-backup adopt\``;
    report(place, 'server_founded', message, server);
  }
  return { server, isOwn: true };
}

/** Makes this machine the continuation of a server, whoever wrote as that before. */
export async function takeOver(place: Place, known: KnownServer, now: Date): Promise<void> {
  const { identity } = known;
  for (const doubt of await strangeSigners(known, place)) report(place, 'not_authenticated', doubt, identity.server);
  letGoOfServer(place.stateFolder, identity.server);
  await announce(place, identity.server, now);
  const runs = await runIds(place.backend, identity.server);
  remember(place, identity.server, runs);
  forgetSeen(place, identity.server, runs);
}

/**
 * Has this machine sign as a server. It says so in a machine record first, so that whoever reads knows the key; of what was there before, it believes what it
 * believes of every server, and says what has no signature at all.
 */
async function announce(place: Place, server: string, now: Date): Promise<void> {
  const { backend, repository, signatures } = place;
  const { isOpen, keys } = await signatures.believe(server);
  const unnamed = isOpen ? await unnamedKeys(place, server) : await unnamedOf(place, server, keys);
  const before = [...keys, ...unnamed];
  const adopted = isOpen ? await unsignedObjects(backend, server) : [];
  const key = signatures.makeOwnKey(server).publicKey.toString('base64');
  // The last record says who writes.
  const id = newestTimedId(now, await machineIds(backend, server));
  const head = { formatVersion: FORMAT_VERSION, id, repository: repository.id, server };
  const whatWas = { ...(adopted.length === 0 ? {} : { adopted }), ...(unnamed.length === 0 ? {} : { formerKeys: unnamed }) };
  await writeMachine(place, { ...head, ...thisMachine(), ...whatWas, created: now.toISOString() });
  await signatures.trust(server, [...before, key]);
}

/** The keys that are believed and that nothing in the repository names: others shall find them, too. */
async function unnamedOf({ backend, repository }: Place, server: string, believed: ReadonlySet<string>): Promise<string[]> {
  const { keys } = await readAnnouncements(backend, repository.id, server);
  return [...believed].filter((key) => !keys.includes(key));
}

/**
 * The key that signed all of a server that names none, as `server.json` is missing: said, as of each server that is met first. Of several nobody can tell which
 * is right: then a person has to.
 */
async function unnamedKeys({ backend, notify }: Place, server: string): Promise<string[]> {
  const keys = await signersOf(backend, server);
  if (keys.length === 0) return [];
  const fingerprints = keys.map(shownFingerprint).join(' and ');
  const [what, advice] =
    keys.length === 1
      ? ['it is taken for the server’s', 'compare it with your note']
      : ['none of them is believed', 'compare them with your note, and say `apiscp-backup servers --trust` with the right one'];
  const message = `nothing names a key of ${server}; its backups are signed with ${fingerprints}: ${what}; ${advice}`;
  notify({ level: 'warning', code: 'not_authenticated', message, affected: [server] });
  return keys.length === 1 ? keys : [];
}

/** Has a server that lost its key, or never had one, get another. Throws where that cannot be kept. */
export async function establishKey(place: Place, server: string): Promise<void> {
  const { signatures } = place;
  const key = signatures.ownKey(server)?.publicKey.toString('base64');
  const before = signatures.trusted(server);
  if (key !== undefined && before.includes(key)) return;
  await announce(place, server, new Date());
  const now = signatures.ownKey(server)?.publicKey.toString('base64');
  if (key !== undefined || now === undefined || before.length === 0) return;
  const message = `the key with which this server signed is gone from the state directory; it signs with ${shownFingerprint(now)} from now on. Note that; machines that read its backups ask for \`apiscp-backup servers --trust\``;
  report(place, 'state_lost', message, server);
}

/**
 * Others may have written runs behind the newest that this machine saw, and deleted snapshots: the next run looks for the newest anew. A run that is gone stays
 * missed.
 */
function forgetSeen({ stateFolder }: Place, server: string, runs: readonly string[]): void {
  forgetSeenSnapshots(stateFolder);
  const { head } = readSeenRuns(stateFolder, server);
  if (head !== undefined && runs.includes(head.id)) keepSeenRuns(stateFolder, server, {});
}

/** What this machine stored as another server is not missing of the one that it is now. */
function forgetFormer({ stateFolder }: Place): void {
  try {
    forgetSeenSnapshots(stateFolder);
  } catch {
    // Then the next run says once that those are gone.
  }
}

function remember({ whoFolder: stateFolder, notify }: Place, server: string, runs: readonly string[]): void {
  // What makes room on a full disk, or reads from a read-only one, must not need it.
  keepInState(stateFolder, notify, () => writeServerState(stateFolder, { server, machine: thisMachine().machine, runs: knownRuns(runs) }));
}

/**
 * The server whose backups are meant when nothing is going to be written: the one that was named, else this machine, or the only one
 * there is (a new machine that replaces a lost one). An id that nothing is stored under when there is no telling. Throws `server_unknown`.
 */
export async function chooseServer(place: Place, nameOrId?: string): Promise<ChosenServer> {
  const leftOut: Failure[] = [];
  const self = await findSelf(place, leftOut);
  const isOwn = self !== undefined && self.doubts.length === 0;
  const own = self?.server.identity.server;
  if (nameOrId !== undefined) {
    const { server } = namedServer(nameOrId, await readServers(place)).identity;
    return { server, isOwn: isOwn && server === own };
  }
  if (self !== undefined && own !== undefined) {
    if (self.doubts.length > 0)
      report(place, 'server_contested', `showing the backups of ${describeServer(self.server)}: ${self.doubts.join('; ')}`, own);
    else if (!self.isRemembered)
      report(place, 'state_lost', `the state directory does not know this server; taking it for ${describeServer(self.server)}`, own);
    return { server: own, isOwn };
  }
  requireAll(leftOut);
  const [only, ...others] = await readServers(place, leftOut);
  requireAll(leftOut);
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

function report({ notify }: Place, code: NoticeCode, message: string, ...affected: readonly string[]): void {
  notify({ level: 'warning', code, message, affected });
}
