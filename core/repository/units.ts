import { asFailure, Failure } from '../failure.ts';
import { unitDocument } from './documents.ts';
import type { UnitIdentity, UnitSubject } from './identity.ts';
import { isTimedId, isUnitId, newTimedId, newUnitId, timeOfId, unitNameOf } from './ids.ts';
import { reveal, writeSealed } from './keys/sealed-members.ts';
import { recordIdOf, snapshotsFolder, UNITS_FOLDER, unitFolder, unitPath } from './layout.ts';
import { FORMAT_VERSION } from './record.ts';
import type { ServerFolder } from './server-folder.ts';
import { readDocument, readKept } from './stored-document.ts';
import type { UnitNote } from './unit-note.ts';
import { notedDomain, readNotes, removeNote, writeNote } from './unit-notes.ts';

/** What names a folder of unknown birth by nothing else: the next folder can have the same inode. */
const INODE_ALONE = /^\d+-0$/;

const SYSTEM = 'system';

/** What is known of whose folder a unit is of when its `unit.json` cannot be read: less than any folder has. */
const UNKNOWN_INCARNATION = '';

/** Whether nobody can tell which account a unit is of, because its `unit.json` is missing or damaged. */
export function isUnproven({ incarnation }: Pick<UnitIdentity, 'incarnation'>): boolean {
  return incarnation === UNKNOWN_INCARNATION;
}

/** Whether the place would not give something that another day it may: what is damaged for good is no refusal. */
function isRefusal({ code }: Failure): boolean {
  return code !== 'repository_damaged';
}

function unproven({ name, unit }: UnitIdentity): Failure {
  const message = `which account ${name} the backups in ${unit} are of cannot be told: its unit.json is missing or damaged`;
  return new Failure('repository_damaged', message, {
    affected: [name, unit],
    advice: `Name the unit by its id: ${unit}. The next backup of the account finds out whether it goes on in it.`,
  });
}

/** A domain that an account had. */
export interface HeldDomain {
  readonly domain: string | null;
  /** RFC 3339 UTC. */
  readonly since: string;
}

/** The units of a server, and what was noted about them: which of them an account goes on in. */
export class Units {
  readonly #folder: ServerFolder;
  /** Of `known`. */
  #opened: UnitIdentity[] | undefined;
  #notes: readonly UnitNote[] | undefined;
  readonly #unusable = new Set<string>();
  /** Why units are left out of `all`, by their ids. */
  readonly #leftOut = new Map<string, Failure>();
  /** Why notes are left out of `notes`. */
  readonly #unreadNotes: Failure[] = [];

  constructor(folder: ServerFolder) {
    this.#folder = folder;
  }

  /** The ids of all units, also of those whose `unit.json` cannot be used. */
  async ids(): Promise<string[]> {
    return (await this.#folder.backend.folders(this.#folder.nameOf(UNITS_FOLDER))).filter(isUnitId);
  }

  /**
   * All incarnations of all units, in the order of their beginning. What is told of them in `unit.json` is made up where that is missing or
   * damaged, and reported: their snapshots have all that a restore needs. With `name` those of this name alone.
   */
  async all(name?: string): Promise<UnitIdentity[]> {
    // Their documents are known by their sizes then; else each unit behind the first page of the listing would be looked for by itself.
    if (name === undefined && this.#folder.backend.pageLength !== undefined) this.#folder.expectAll();
    await this.notes();
    const units: UnitIdentity[] = [];
    const ids = (await this.ids()).filter((id) => name === undefined || unitNameOf(id) === name);
    this.#folder.expectDocuments(unitDocument, ids.map(unitPath));
    for (const id of ids) {
      try {
        units.push(await this.read(id));
        this.#leftOut.delete(id);
      } catch (error) {
        const unit = await this.#inPlaceOf(id, error);
        if (unit !== undefined) units.push(unit);
      }
    }
    return units.sort((a, b) => (a.created < b.created || (a.created === b.created && a.unit < b.unit) ? -1 : 1));
  }

  /**
   * A unit whose `unit.json` cannot be used, as this machine's copy says, or else made up. Undefined for one of which nothing is stored, or of which the
   * place gives nothing today: that is told, and keeps nobody from the others.
   */
  async #inPlaceOf(id: string, error: unknown): Promise<UnitIdentity | undefined> {
    try {
      if (await this.isEmpty(id)) return undefined;
      this.#folder.report(error);
      if (asFailure(error).code === 'repository_damaged') {
        this.#unusable.add(id);
        const kept = this.#folder.isOwn ? readKept(this.#folder, unitDocument, this.#folder.nameOf(unitPath(id))) : undefined;
        const unit = kept ?? (await this.#madeUp(id));
        if (unit !== undefined) return unit;
      }
      this.#leftOut.set(id, asFailure(error));
    } catch (failure) {
      this.#folder.report(failure);
      this.#leftOut.set(id, asFailure(failure));
    }
    return undefined;
  }

  /** The ids of units whose `unit.json` is missing or damaged. */
  async unusable(): Promise<ReadonlySet<string>> {
    await this.known();
    return this.#unusable;
  }

  /** A unit of which `unit.json` says nothing, by its id and its oldest snapshot; undefined when it has none. Whose it is, nobody knows. */
  async #madeUp(id: string): Promise<UnitIdentity | undefined> {
    let oldest: string | undefined;
    for await (const { name } of this.#folder.listObjects(`${snapshotsFolder(id)}/`)) {
      const snapshot = recordIdOf(name);
      if (snapshot !== undefined && isTimedId(snapshot) && (oldest === undefined || snapshot < oldest)) oldest = snapshot;
    }
    if (oldest === undefined) return undefined;
    const name = unitNameOf(id);
    return {
      formatVersion: FORMAT_VERSION,
      repository: this.#folder.identity.id,
      server: this.#folder.server,
      unit: id,
      name,
      incarnation: name === SYSTEM ? SYSTEM : UNKNOWN_INCARNATION,
      domain: null,
      adminUser: null,
      created: timeOfId(oldest).toISOString(),
    };
  }

  /** Why units are not among all, by their ids; of those that were read last. */
  get leftOut(): ReadonlyMap<string, Failure> {
    return this.#leftOut;
  }

  /** Why notes count for nothing: what somebody joined by one of them is not known to belong together. */
  get unreadNotes(): readonly Failure[] {
    return this.#unreadNotes;
  }

  /**
   * Why it cannot be told today in which of its units an account goes on, because the place would not give one of them, or a note about one:
   * another day it may. What is damaged for good is none of it.
   */
  async refusedOf(name: string): Promise<Failure | undefined> {
    const note = this.#unreadNotes.find(isRefusal);
    if (note !== undefined && (await this.named(name)).length > 0) return note;
    return this.#leftOutOf(name);
  }

  #leftOutOf(name: string): Failure | undefined {
    return [...this.#leftOut].find(([unit, failure]) => unitNameOf(unit) === name && isRefusal(failure))?.[1];
  }

  /** Whether the folder of a unit is all there is of it: what began it failed before it wrote anything, and the next run begins another. */
  async isEmpty(id: string): Promise<boolean> {
    for await (const _ of this.#folder.listObjects(`${unitFolder(id)}/`)) return false;
    return true;
  }

  /**
   * Removes the folder of a unit that holds nothing and was last changed before `before` (milliseconds since 1970), where there are
   * folders.
   */
  async removeEmpty(id: string, before: number): Promise<void> {
    await this.#folder.backend.removeFolder?.(this.#folder.nameOf(unitFolder(id)), before);
  }

  /** One unit by its id. Throws `repository_damaged`, `repository_newer`. */
  async read(id: string): Promise<UnitIdentity> {
    await this.notes();
    const name = this.#folder.nameOf(unitPath(id));
    const { value } = await readDocument(this.#folder, unitDocument, name);
    if (
      value.unit === id &&
      value.name === unitNameOf(id) &&
      value.server === this.#folder.server &&
      value.repository === this.#folder.identity.id
    )
      return value;
    throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
  }

  /**
   * The domains that an account has had when it was backed up, the oldest first: that of its beginning, which may be unknown (null), and those
   * that were noted. Throws `identity_missing`, `identity_wrong`, `repository_damaged`.
   */
  async domainsOf(unit: UnitIdentity): Promise<readonly HeldDomain[]> {
    const { domain, created } = await reveal(unitDocument, this.#folder.nameOf(unitPath(unit.unit)), unit, this.#folder.keys);
    const held: HeldDomain[] = [{ domain, since: created }];
    for (const note of this.#notesOf(unit, 'continued')) {
      const noted = await notedDomain(this.#folder, note);
      if (noted !== undefined) held.push({ domain: noted, since: note.created });
    }
    return held;
  }

  /** The last of them. Throws the same. */
  async domainOf(unit: UnitIdentity): Promise<string | null> {
    return (await this.domainsOf(unit)).at(-1)?.domain ?? null;
  }

  /**
   * The unit that a name or a unit id means. Of several incarnations of a name it is the one that lives now, when the caller
   * says which that is, and else the newest. Throws `unit_unknown`, and why one that it could be cannot be read today.
   */
  async resolve(nameOrId: string, livingIncarnation?: string): Promise<UnitIdentity> {
    const ofName = await this.all(isUnitId(nameOrId) ? unitNameOf(nameOrId) : nameOrId);
    const found = ofName.filter((unit) =>
      isUnitId(nameOrId) ? unit.unit === nameOrId : livingIncarnation === undefined || this.livesAs(unit, livingIncarnation),
    );
    const newest = found.at(-1);
    // An id, and the account that lives now, mean one unit alone; the newest of a name could be what is left out.
    const isCertain = newest !== undefined && (isUnitId(nameOrId) || livingIncarnation !== undefined);
    const refused = isCertain ? undefined : isUnitId(nameOrId) ? this.#leftOut.get(nameOrId) : this.#leftOutOf(nameOrId);
    if (refused !== undefined) throw refused;
    if (newest === undefined) {
      const unknown = ofName.findLast((unit) => unit.name === nameOrId && isUnproven(unit));
      if (unknown !== undefined) throw unproven(unknown);
      throw new Failure('unit_unknown', `the repository holds no backups of ${nameOrId} of this server`, { affected: [nameOrId] });
    }
    return newest;
  }

  /** What was noted about units; read once. */
  async notes(): Promise<readonly UnitNote[]> {
    this.#notes ??= await readNotes(
      this.#folder,
      (error) => this.#folder.report(error),
      (failure) => this.#unreadNotes.push(failure),
    );
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
    const head = { formatVersion: FORMAT_VERSION, id: newTimedId(now), repository: this.#folder.identity.id, server: this.#folder.server };
    const whole: UnitNote = { incarnation: null, joined: null, ...note, ...head, created: now.toISOString() };
    const notes = await this.notes();
    await writeNote(this.#folder, whole);
    this.#notes = [...notes, whole];
  }

  /** Takes back that what is missing of a unit is meant to be. */
  async forgetGone(unit: UnitIdentity): Promise<void> {
    for (const note of this.#notesOf(unit, 'gone')) await removeNote(this.#folder, note);
    this.#notes = (await this.notes()).filter((note) => note.unit !== unit.unit || note.kind !== 'gone');
  }

  /**
   * All units, by their beginning. They are read once: only one run at a time begins any in a server's folder, and reading all
   * of them for each would make a server of a thousand accounts a million reads.
   */
  async known(): Promise<readonly UnitIdentity[]> {
    this.#opened ??= await this.all();
    return this.#opened;
  }

  /** All units of a name, by their beginning. */
  async named(name: string): Promise<readonly UnitIdentity[]> {
    return (await this.known()).filter((unit) => unit.name === name);
  }

  /** The unit of this incarnation, begun now when it was never backed up. */
  async open(subject: UnitSubject): Promise<UnitIdentity> {
    const find = async () => (await this.named(subject.name)).findLast((unit) => this.livesAs(unit, subject.incarnation));
    const existing = await find();
    if (existing !== undefined) return existing;
    await this.#lookForNewUnits(subject.name);
    return (await find()) ?? (await this.begin(subject));
  }

  /** Another run, such as one for the account's owner, may have begun a unit since all were read. */
  async #lookForNewUnits(name: string): Promise<void> {
    const known = new Set(this.#opened?.map(({ unit }) => unit));
    for (const id of await this.ids()) {
      if (unitNameOf(id) !== name || known.has(id) || (await this.isEmpty(id))) continue;
      try {
        this.#opened?.push(await this.read(id));
      } catch {
        // Told when all were read.
      }
    }
  }

  /** A new unit for an account. */
  async begin(subject: UnitSubject): Promise<UnitIdentity> {
    const earlier = await this.named(subject.name);
    // Units of one name are told apart by their beginning: never two in the same millisecond.
    const created = Math.max(Date.now(), Date.parse(earlier.at(-1)?.created ?? '') + 1 || 0);
    const { name, incarnation, domain, adminUser } = subject;
    const unit: UnitIdentity = {
      formatVersion: FORMAT_VERSION,
      repository: this.#folder.identity.id,
      server: this.#folder.server,
      unit: newUnitId(name),
      name,
      incarnation,
      domain,
      adminUser,
      created: new Date(created).toISOString(),
    };
    await writeSealed(unitDocument, this.#folder.nameOf(unitPath(unit.unit)), unit, this.#folder);
    this.#opened?.push(unit);
    return unit;
  }
}
