import type { Settings } from '../config/settings.ts';
import { asFailure, Failure } from '../failure.ts';
import type { RandomAccess } from '../manifest/read/random-access.ts';
import type { Backend, ObjectInfo } from './backends/backend.ts';
import { runDocument, snapshotDocument, unitDocument } from './documents.ts';
import { fetchUnlinked } from './fetch.ts';
import type { RepositoryIdentity, UnitIdentity, UnitSubject } from './identity.ts';
import { isTimedId, isUnitId, newTimedId, newUnitId, timedIdStart, unitNameOf } from './ids.ts';
import * as layout from './layout.ts';
import type { Notify } from './notice.ts';
import { ObjectOutput } from './object-output.ts';
import { openBackend, readRepositoryIdentity } from './place.ts';
import { FORMAT_VERSION, type SnapshotLink, type SnapshotRecord } from './record.ts';
import { checkRecord } from './record-check.ts';
import type { RunRecord } from './run-record.ts';
import { SAFETY_AGE } from './safety-age.ts';
import { chooseServer, establishServer, foundServer, type Place } from './server-identity.ts';
import { forgetServerState, rememberRun } from './server-state.ts';
import { prepareStateDirectory, repositoryStateFolder, useStateDirectory } from './state-directory.ts';
import { readDocument, writeDocument } from './stored-document.ts';
import type { UnitNote } from './unit-note.ts';
import { readNotes, removeNote, writeNote } from './unit-notes.ts';

/** What names a folder of unknown birth by nothing else: the next folder can have the same inode. */
const INODE_ALONE = /^\d+-0$/;

/** A record that is there and cannot be used. */
export interface UnusableRecord {
  /** Below the server's folder. */
  readonly path: string;
  readonly failure: Failure;
}

/**
 * One server's folder of a repository: its units, and the objects of their snapshots. All paths are below that folder. What
 * is read is checked against its schema and against the name that it was found under.
 */
export class Repository {
  readonly backend: Backend;
  readonly identity: RepositoryIdentity;
  /** The id of the server. */
  readonly server: string;
  /** Whether this machine writes as that server. */
  readonly isOwn: boolean;
  /** The part of the state directory that belongs to this repository. */
  readonly stateFolder: string;
  /** Where to tell what the operator should know. */
  readonly notify: Notify;
  readonly #folder: string;
  readonly #digests = new WeakMap<SnapshotRecord, string>();
  /** Of `allUnits`. */
  #opened: UnitIdentity[] | undefined;
  #notes: readonly UnitNote[] | undefined;
  /** What the place would not give when units and notes were read: by the id of the unit, or undefined for a note. */
  readonly #refused = new Map<string | undefined, Failure>();

  constructor(backend: Backend, identity: RepositoryIdentity, server: string, stateFolder: string, notify: Notify, isOwn = true) {
    this.backend = backend;
    this.identity = identity;
    this.server = server;
    this.isOwn = isOwn;
    this.stateFolder = stateFolder;
    this.notify = notify;
    this.#folder = layout.serverFolder(server);
  }

  /** The folder of another server, to read. */
  ofServer(server: string): Repository {
    return new Repository(this.backend, this.identity, server, this.stateFolder, this.notify, this.isOwn && server === this.server);
  }

  #fullName(path: string): string {
    return `${this.#folder}/${path}`;
  }

  #report(error: unknown): void {
    const { code, message, affected } = asFailure(error);
    this.notify({ level: 'error', code, message, affected });
  }

  /** The ids of all units, also of those whose `unit.json` cannot be used. */
  async unitIds(): Promise<string[]> {
    return (await this.backend.folders(this.#fullName(layout.UNITS_FOLDER))).filter(isUnitId);
  }

  /** All incarnations of all units, in the order of their beginning; unusable ones are reported and left out. */
  async units(): Promise<UnitIdentity[]> {
    await this.notes();
    const units: UnitIdentity[] = [];
    for (const id of await this.unitIds()) {
      try {
        units.push(await this.readUnit(id));
      } catch (error) {
        if (await this.holdsNothing(id)) continue;
        this.#report(error);
        this.#noteRefusal(id, error);
      }
    }
    return units.sort((a, b) => (a.created < b.created || (a.created === b.created && a.unit < b.unit) ? -1 : 1));
  }

  #noteRefusal(unit: string | undefined, error: unknown): void {
    const failure = asFailure(error);
    if (failure.code !== 'repository_damaged') this.#refused.set(unit, failure);
  }

  /**
   * Why it cannot be told today in which of its units an account goes on, because the place would not give one of them, or a note about one:
   * another day it may. What is damaged for good is none of it.
   */
  async refusedOf(name: string): Promise<Failure | undefined> {
    const hasUnits = (await this.unitsNamed(name)).length > 0;
    for (const [unit, failure] of this.#refused) {
      if (unit === undefined ? hasUnits : unitNameOf(unit) === name) return failure;
    }
    return undefined;
  }

  /** Whether the folder of a unit is all there is of it: what began it failed before it wrote anything, and the next run begins another. */
  async holdsNothing(id: string): Promise<boolean> {
    for await (const _ of this.listObjects(`${layout.unitFolder(id)}/`)) return false;
    return true;
  }

  /** Removes the folder of a unit that holds nothing and was last changed before `before` (milliseconds since 1970), where there are folders. */
  async removeEmptyUnit(id: string, before: number): Promise<void> {
    await this.backend.removeFolder?.(this.#fullName(layout.unitFolder(id)), before);
  }

  /** One unit by its id. Throws `repository_damaged`, `repository_newer`. */
  async readUnit(id: string): Promise<UnitIdentity> {
    await this.notes();
    const name = this.#fullName(layout.unitPath(id));
    const { value } = await readDocument(this.backend, unitDocument, name);
    if (value.unit === id && value.server === this.server && value.repository === this.identity.id) return value;
    throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
  }

  /**
   * The unit that a name or a unit id means. Of several incarnations of a name it is the one that lives now, when the caller
   * says which that is, and else the newest. Throws `unit_unknown`.
   */
  async resolveUnit(nameOrId: string, livingIncarnation?: string): Promise<UnitIdentity> {
    const found = isUnitId(nameOrId)
      ? (await this.units()).filter((unit) => unit.unit === nameOrId)
      : (await this.units()).filter(
          (unit) => unit.name === nameOrId && (livingIncarnation === undefined || this.livesAs(unit, livingIncarnation)),
        );
    const newest = found.at(-1);
    if (newest === undefined) {
      throw new Failure('unit_unknown', `the repository holds no backups of ${nameOrId} of this server`, { affected: [nameOrId] });
    }
    return newest;
  }

  /** What was noted about units; read once. */
  async notes(): Promise<readonly UnitNote[]> {
    this.#notes ??= await readNotes(this.backend, this.identity.id, this.server, (error) => {
      this.#report(error);
      this.#noteRefusal(undefined, error);
    });
    return this.#notes;
  }

  #notesOf({ unit }: Pick<UnitIdentity, 'unit'>, kind: UnitNote['kind']): UnitNote[] {
    if (this.#notes === undefined) throw new Failure('internal', 'a unit came from elsewhere');
    return this.#notes.filter((note) => note.unit === unit && note.kind === kind);
  }

  /** Whether the folder of a living account is that of a unit; the unit was read from here. In doubt it is not. */
  livesAs(unit: UnitIdentity, incarnation: string): boolean {
    if (INODE_ALONE.test(incarnation)) return false;
    return unit.incarnation === incarnation || this.#notesOf(unit, 'continued').some((note) => note.incarnation === incarnation);
  }

  /** The ids of earlier units that somebody said to belong to the customer of this one, those that were joined to these included. */
  joinedTo(unit: UnitIdentity): string[] {
    const joined = [unit.unit];
    for (const id of joined) {
      const next = this.#notesOf({ unit: id }, 'joined').flatMap((note) => note.joined ?? []);
      joined.push(...next.filter((each, index) => !joined.includes(each) && next.indexOf(each) === index));
    }
    return joined.slice(1);
  }

  /** Whether somebody said that what is missing of a unit is meant to be. */
  isGone(unit: UnitIdentity): boolean {
    return this.#notesOf(unit, 'gone').length > 0;
  }

  /** Notes something about a unit. */
  async addNote(note: Pick<UnitNote, 'unit' | 'kind' | 'reason'> & Partial<UnitNote>): Promise<void> {
    const now = new Date();
    const head = { formatVersion: FORMAT_VERSION, id: newTimedId(now), repository: this.identity.id, server: this.server };
    const whole: UnitNote = { incarnation: null, joined: null, ...note, ...head, created: now.toISOString() };
    const notes = await this.notes();
    await writeNote(this.backend, whole);
    this.#notes = [...notes, whole];
  }

  /** Takes back that what is missing of a unit is meant to be. */
  async forgetGone(unit: UnitIdentity): Promise<void> {
    for (const note of this.#notesOf(unit, 'gone')) await removeNote(this.backend, note);
    this.#notes = (await this.notes()).filter((note) => note.unit !== unit.unit || note.kind !== 'gone');
  }

  /**
   * All units, by their beginning. They are read once: only one run at a time begins any in a server's folder, and reading all
   * of them for each would make a server of a thousand accounts a million reads.
   */
  async allUnits(): Promise<readonly UnitIdentity[]> {
    this.#opened ??= await this.units();
    return this.#opened;
  }

  /** All units of a name, by their beginning. */
  async unitsNamed(name: string): Promise<readonly UnitIdentity[]> {
    return (await this.allUnits()).filter((unit) => unit.name === name);
  }

  /** The unit of this incarnation, begun now when it was never backed up. */
  async openUnit(subject: UnitSubject): Promise<UnitIdentity> {
    const find = async () => (await this.unitsNamed(subject.name)).findLast((unit) => this.livesAs(unit, subject.incarnation));
    const existing = await find();
    if (existing !== undefined) return existing;
    await this.#lookForNewUnits(subject.name);
    return (await find()) ?? (await this.beginUnit(subject));
  }

  /** Another run, such as one for the account's owner, may have begun a unit since all were read. */
  async #lookForNewUnits(name: string): Promise<void> {
    const known = new Set(this.#opened?.map(({ unit }) => unit));
    for (const id of await this.unitIds()) {
      if (unitNameOf(id) !== name || known.has(id) || (await this.holdsNothing(id))) continue;
      try {
        this.#opened?.push(await this.readUnit(id));
      } catch {
        // Told when all were read.
      }
    }
  }

  /** A new unit for an account. */
  async beginUnit(subject: UnitSubject): Promise<UnitIdentity> {
    const earlier = await this.unitsNamed(subject.name);
    // Units of one name are told apart by their beginning: never two in the same millisecond.
    const created = Math.max(Date.now(), Date.parse(earlier.at(-1)?.created ?? '') + 1 || 0);
    const { name, incarnation, domain, adminUser } = subject;
    const unit: UnitIdentity = {
      formatVersion: FORMAT_VERSION,
      repository: this.identity.id,
      server: this.server,
      unit: newUnitId(name),
      name,
      incarnation,
      domain,
      adminUser,
      created: new Date(created).toISOString(),
    };
    await writeDocument(this.backend, unitDocument, this.#fullName(layout.unitPath(unit.unit)), unit);
    this.#opened?.push(unit);
    return unit;
  }

  /** The usable snapshots of a unit, oldest first, and what of its records cannot be used. */
  async readSnapshots(unit: string): Promise<{ records: SnapshotRecord[]; unusable: UnusableRecord[] }> {
    const records: SnapshotRecord[] = [];
    const unusable: UnusableRecord[] = [];
    for await (const { name } of this.backend.list(`${this.#fullName(layout.snapshotsFolder(unit))}/`)) {
      const path = name.slice(this.#folder.length + 1);
      try {
        const { value, sha256 } = await readDocument(this.backend, snapshotDocument, name);
        checkRecord(value, { repository: this.identity.id, server: this.server, unit, path });
        this.#digests.set(value, sha256);
        records.push(value);
      } catch (error) {
        // A prune may have removed it since it was listed.
        if ((await this.backend.size(name)) !== undefined) unusable.push({ path, failure: asFailure(error) });
      }
    }
    records.sort((a, b) => (a.id < b.id ? -1 : 1));
    return { records, unusable };
  }

  /** The usable snapshots of a unit, oldest first; unusable ones are reported and left out. */
  async snapshots(unit: string): Promise<SnapshotRecord[]> {
    const { records, unusable } = await this.readSnapshots(unit);
    for (const { failure } of unusable) this.#report(failure);
    return records;
  }

  /** SHA-256 (hexadecimal) of the stored bytes of a record that this repository read or wrote. */
  recordDigest(record: SnapshotRecord): string {
    const digest = this.#digests.get(record);
    if (digest === undefined) throw new Failure('internal', `the record ${record.id} did not come from this repository`);
    return digest;
  }

  /** Begins a pack. The packs of a snapshot are stored first, then its manifest, then its record. */
  createPack(unit: string, pack: string): Promise<ObjectOutput> {
    return ObjectOutput.create(this.backend, this.#folder, layout.packPath(unit, pack));
  }

  createManifest(unit: string, snapshot: string): Promise<ObjectOutput> {
    return ObjectOutput.create(this.backend, this.#folder, layout.manifestPath(unit, snapshot));
  }

  /** Makes the snapshot exist; everything that it names must have been stored. */
  async commitRecord(record: SnapshotRecord): Promise<SnapshotLink> {
    const path = layout.snapshotPath(record.unit, record.id);
    checkRecord(record, { repository: this.identity.id, server: this.server, unit: record.unit, path });
    const sha256 = await writeDocument(this.backend, snapshotDocument, this.#fullName(path), record);
    this.#digests.set(record, sha256);
    return { id: record.id, sha256 };
  }

  /** What the run has backed up stands in the repository already: a state that cannot be kept, on a full disk, is said and no failure of it. */
  async commitRun(run: RunRecord): Promise<void> {
    try {
      await rememberRun(this.stateFolder, run.id, () => this.runIds());
    } catch (error) {
      forgetServerState(this.stateFolder);
      const message = `the state cannot be kept, and is found out anew by the next run: ${asFailure(error).message}`;
      this.notify({ level: 'warning', code: 'state_unusable', message, affected: [this.stateFolder] });
    }
    await writeDocument(this.backend, runDocument, this.#fullName(layout.runPath(run.id)), run);
  }

  /** The records of this server's runs, oldest first; unusable ones are reported and left out. */
  async runs(): Promise<RunRecord[]> {
    const runs: RunRecord[] = [];
    for (const name of await this.#runNames()) {
      const run = await this.#readRun(name);
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  /** The ids of this server's runs, oldest first, also of those whose record cannot be used. They begin with the time of the run. */
  async runIds(): Promise<string[]> {
    return (await this.#runNames()).map((name) => layout.recordIdOf(name) ?? '').filter(isTimedId);
  }

  /** The record of one run; an unusable one is reported and undefined. */
  run(id: string): Promise<RunRecord | undefined> {
    return this.#readRun(this.#fullName(layout.runPath(id)));
  }

  /** The records of the runs that began at or before `time`, the newest first, each read when it is asked for. */
  async *runsBackFrom(time: Date): AsyncGenerator<RunRecord> {
    const start = timedIdStart(time);
    for (const name of (await this.#runNames()).reverse()) {
      if ((layout.recordIdOf(name) ?? '').slice(0, start.length) > start) continue;
      const run = await this.#readRun(name);
      if (run !== undefined) yield run;
    }
  }

  async #runNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.backend.list(`${this.#fullName(layout.RUNS_FOLDER)}/`)) names.push(name);
    return names.sort();
  }

  async #readRun(name: string): Promise<RunRecord | undefined> {
    try {
      const { value } = await readDocument(this.backend, runDocument, name);
      if (value.id === layout.recordIdOf(name) && value.server === this.server && value.repository === this.identity.id) return value;
      throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** `length` bytes of an object from `offset`; the whole object when both are left out. */
  readObject(path: string, offset?: number, length?: number): Promise<Buffer> {
    return this.backend.read(this.#fullName(path), offset, length);
  }

  /** In bytes; undefined when there is no such object. */
  objectSize(path: string): Promise<number | undefined> {
    return this.backend.size(this.#fullName(path));
  }

  /** Has an object that was stored read from its disk the next time, where that can be asked, and not from memory. */
  forgetCached(path: string): void {
    this.backend.forgetCached?.(this.#fullName(path));
  }

  /** Removes an object; a missing one is no error. */
  removeObject(path: string): Promise<void> {
    return this.backend.remove(this.#fullName(path));
  }

  /** Every stored object whose path begins with `prefix`, with its path below the server's folder. */
  async *listObjects(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const object of this.backend.list(this.#fullName(prefix))) {
      yield { ...object, name: object.name.slice(this.#folder.length + 1) };
    }
  }

  /**
   * The manifest of a snapshot for reading, in the length that the record says; the caller closes it. The content is not
   * compared with its digest: `ManifestReader.open` checks the index, and each block is checked by that.
   */
  async openManifest(record: Pick<SnapshotRecord, 'manifest'>): Promise<RandomAccess> {
    const { path, length } = record.manifest;
    const name = this.#fullName(path);
    const size = await this.backend.size(name);
    if (size !== length) {
      const message = size === undefined ? `the object ${name} is missing` : `${name} has ${size} bytes, ${length} were stored`;
      throw new Failure('repository_damaged', message, { affected: [name] });
    }
    return this.backend.openDirectly?.(name) ?? (await fetchUnlinked(this.backend, name, length, this.stateFolder));
  }
}

/** Which server's folder is opened, when it is not to be this machine's as it is known. */
export interface ServerChoice {
  /** To read: the name or id of another server. */
  readonly server?: string | undefined;
  /** To write: begin a new one, whoever this machine was before. */
  readonly isNew?: boolean | undefined;
}

/** What has to be known of the repository before it is said which server is meant. */
export async function openPlace(settings: Settings, notify: Notify): Promise<Place> {
  const backend = openBackend(settings.repository);
  const repository = await readRepositoryIdentity(backend);
  return { backend, repository, stateFolder: repositoryStateFolder(settings.stateDirectory, repository.id), notify };
}

/**
 * Opens the repository that the settings name. To write, this machine's id is looked up or begun, and kept in the state
 * directory, and what killed writers left unfinished is removed; to read, nothing is changed anywhere. Throws `repository_missing`,
 * `repository_foreign`, `repository_newer`, `server_unknown`, `server_contested`.
 */
export async function openRepository(
  settings: Settings,
  purpose: 'read' | 'write' | 'free',
  notify: Notify,
  choice: ServerChoice = {},
): Promise<Repository> {
  const place = await openPlace(settings, notify);
  const { backend, repository: identity, stateFolder } = place;
  if (purpose === 'read') {
    const { server, isOwn } = await chooseServer(place, choice.server);
    return new Repository(backend, identity, server, stateFolder, notify, isOwn);
  }
  if (purpose === 'write') prepareStateDirectory(settings.stateDirectory);
  else useStateDirectory(settings.stateDirectory, notify);
  await backend.discardAbandoned(Date.now() - SAFETY_AGE);
  const { server } = await (choice.isNew === true ? foundServer(place) : establishServer(place));
  await backend.discardUnfinished(layout.serverFolder(server));
  return new Repository(backend, identity, server, stateFolder, notify);
}
