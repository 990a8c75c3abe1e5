import { ChainIndex } from '../chain/chain-index.ts';
import { isBreathDue } from '../context/breath.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { mergedEntries } from '../manifest/merge/merged-entries.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import { snapshotDocument } from '../repository/documents.ts';
import type { FoundDeletions } from '../repository/history/deletions.ts';
import { missingSnapshots, snapshotMissing } from '../repository/history/missing.ts';
import { revealStored } from '../repository/keys/sealed-members.ts';
import { recordIdOf, serverFolder, snapshotPath } from '../repository/layout.ts';
import { type ObjectReference, type SnapshotRecord, treesOf } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import { chainSnapshots } from '../timeline/chain-snapshots.ts';
import { damagedManifest } from './damage.ts';
import type { DamageList } from './damage-list.ts';
import { type ExtentReference, ExtentTable } from './extent-table.ts';
import type { KeyReferences } from './key-references.ts';
import { LockedContents } from './locked-contents.ts';
import { checkManifest, collectExtents, withManifest } from './manifest-check.ts';
import { checkPack } from './pack-check.ts';
import { keepWaits, nextSample, readWaits, waitsAfter } from './sample-turns.ts';
import { otherLength, problemOfStored } from './stored-bytes.ts';
import type { VerificationWatch } from './watch.ts';
import { WholeDigests } from './whole-digests.ts';

/** How many extents are held at once, at 64 bytes each. A pack with more references than this is checked alone. */
const EXTENTS_AT_ONCE = 1 << 20;

/** A pack that records of the unit name, with the number of extents that lie in it. */
interface NamedPack {
  readonly reference: ObjectReference;
  readonly snapshots: string[];
  extents: number;
}

/** What is known of what should be there. */
export interface KnownHistory {
  readonly runs: RunIndex;
  readonly deletions: FoundDeletions;
}

/**
 * How much is read: everything; or records and manifests, and of packs only that they are there in their length; or that and the contents of a share
 * of the packs, another one each time.
 */
export type CheckScope = 'all' | 'quick' | { readonly percent: number };

/** Checks what the snapshots of one unit need. What is wrong goes to `damages`. */
export class UnitCheck {
  readonly #repository: Repository;
  readonly #damages: DamageList;
  readonly #watch: VerificationWatch;
  /** By snapshot: the ids of those that lie directly on it. */
  readonly #above = new Map<string, string[]>();
  /** By snapshot: the id of the one that it lies on directly. */
  readonly #below = new Map<string, string>();
  /** The snapshots whose chain is complete. */
  readonly #whole = new Set<string>();
  readonly #packs = new Map<string, NamedPack>();
  /** The snapshots whose manifests can be read, at least in part. */
  readonly #checked: SnapshotRecord[] = [];
  /** By snapshot: its trees, as far as its record gives them away. */
  readonly #roots = new Map<string, SnapshotRecord['roots']>();
  readonly #locked: LockedContents;
  /** Objects that a key here should open and does not: damaged, or made for others. By path, with the snapshots that have them. */
  readonly #unopened = new Map<string, { readonly reference: ObjectReference; readonly snapshots: readonly string[] }>();
  #strange: readonly Failure[] = [];

  readonly #scope: CheckScope;

  constructor(repository: Repository, damages: DamageList, watch: VerificationWatch, scope: CheckScope = 'all') {
    this.#repository = repository;
    this.#damages = damages;
    this.#watch = watch;
    this.#scope = scope;
    this.#locked = new LockedContents(repository, scope === 'all');
  }

  /** Why contents of snapshots were not looked at, one for each: they are encrypted for others. That their bytes are those that were stored is known. */
  get unread(): readonly Failure[] {
    return this.#locked.failures;
  }

  /** Names that this version does not know, and what stands there cannot be looked at. */
  get strange(): readonly Failure[] {
    return this.#strange;
  }

  /**
   * `runs`: what the log of runs says; `deletions`: what the server said that it deleted. The key records that records name go to `keys`. Gives the
   * records that can be used.
   */
  async check(unit: string, { runs, deletions }: KnownHistory, keys: KeyReferences): Promise<readonly SnapshotRecord[]> {
    const { records, unusable, doubtful, strange } = await this.#repository.readSnapshots(unit);
    this.#strange = strange;
    for (const record of records) keys.addRecord(record);
    for (const id of await missingSnapshots(unit, { records, unusable }, this.#repository, runs, deletions))
      this.#damages.add(this.#object(snapshotPath(unit, id)), snapshotMissing(unit, id), []);
    await this.#locked.find(records, this.#scope !== 'quick');
    this.#watch.snapshots += records.length + unusable.length;
    this.#watch.objects += records.length + unusable.length;
    for (const { path, failure } of unusable) this.#damages.add(this.#object(path), failure, [recordIdOf(path) ?? path]);
    // Restored they can be, until what links to them is deleted.
    for (const { path, failure } of doubtful) this.#damages.add(this.#object(path), failure, [recordIdOf(path) ?? path]);
    this.#checkChains(records);
    for (const record of records) await this.#readRoots(record);
    for (const record of records) this.#namePacks(record);
    this.#watch.bytesTotal += records.reduce((sum, { manifest }) => sum + manifest.length, 0);
    const chosen = this.#chosenPacks(unit);
    for (const { reference } of chosen) this.#watch.bytesTotal += reference.length;
    for (const record of records) {
      if (this.#locked.has(record.manifest)) await this.#checkStored(record.manifest, [record.id]);
      else await this.#checkManifest(record, this.#treesOf(record));
    }
    for (const pack of this.#packs.values()) if (!chosen.has(pack)) await this.#checkLength(pack.reference, pack.snapshots);
    const isLocked = ({ reference }: NamedPack): boolean => this.#locked.has(reference);
    for (const group of packGroups([...chosen].filter((pack) => !isLocked(pack)))) await this.#checkPacks(group);
    for (const { reference, snapshots } of [...chosen].filter(isLocked)) await this.#checkStored(reference, snapshots);
    if (this.#scope === 'all') await this.#checkWholes();
    for (const { reference, snapshots } of this.#unopened.values()) await this.#compareStored(reference, snapshots);
    if (this.#scope !== 'quick') this.#keepTurns(unit, chosen);
    return records;
  }

  /** The packs of which all is read. */
  #chosenPacks(unit: string): ReadonlySet<NamedPack> {
    const all = [...this.#packs.values()];
    if (this.#scope === 'all') return new Set(all);
    if (this.#scope === 'quick') return new Set();
    const sized = all.map((pack) => ({ path: pack.reference.path, length: pack.reference.length, pack }));
    const waits = readWaits(this.#repository.stateFolder, unit);
    return new Set(nextSample(sized, this.#scope.percent, waits).map(({ pack }) => pack));
  }

  /** Remembers for the next sample what was read and what waits. */
  #keepTurns(unit: string, read: ReadonlySet<NamedPack>): void {
    const { stateFolder, notify } = this.#repository;
    const packs = [...this.#packs.values()].map(({ reference }) => reference);
    const percent = typeof this.#scope === 'object' ? this.#scope.percent : 0;
    const paths = new Set([...read].map(({ reference }) => reference.path));
    keepWaits(stateFolder, unit, waitsAfter(packs, percent, readWaits(stateFolder, unit), paths), notify);
  }

  /** The names of the trees of a snapshot's chain; undefined when that is broken, or a record does not give them away. */
  #treesOf({ id }: SnapshotRecord): string[] | undefined {
    const found: Pick<SnapshotRecord, 'roots'>[] = [];
    for (let at: string | undefined = id; at !== undefined && this.#whole.has(id); at = this.#below.get(at)) {
      const roots = this.#roots.get(at);
      if (roots === undefined) return undefined;
      found.push({ roots });
    }
    return found.length === 0 ? undefined : treesOf(found);
  }

  /** Opens what is sealed in a record, as it is stored; where no key here does that, the state may know what it says. */
  async #readRoots(record: SnapshotRecord): Promise<void> {
    const path = snapshotPath(record.unit, record.id);
    const keep = ({ roots }: SnapshotRecord): void => void this.#roots.set(record.id, roots);
    try {
      keep(await revealStored(snapshotDocument, this.#object(path), record, this.#repository.keys));
    } catch (error) {
      if (asFailure(error).code === 'internal') throw error;
      if (this.#locked.add(record.id, error)) await this.#repository.revealed(record).then(keep, () => {});
      else this.#damages.add(this.#object(path), error, this.#dependentsOf(record.id));
    }
  }

  /** That an object is there in the length that was stored. */
  async #checkLength({ path, length }: ObjectReference, snapshots: readonly string[]): Promise<void> {
    this.#watch.objects++;
    const size = await this.#repository.objectSize(path);
    if (size !== length) this.#suffers(path, otherLength(path, size, length), snapshots);
  }

  /** That an object has the bytes that were stored. */
  async #checkStored(reference: ObjectReference, snapshots: readonly string[]): Promise<void> {
    this.#watch.objects++;
    await this.#compareStored(reference, snapshots);
  }

  async #compareStored(reference: ObjectReference, snapshots: readonly string[]): Promise<void> {
    const failure = await problemOfStored(this.#repository, reference, this.#watch);
    if (failure !== undefined) this.#suffers(reference.path, failure, snapshots);
  }

  #suffers(path: string, failure: Failure, snapshots: readonly string[]): void {
    const touched = snapshots.flatMap((snapshot) => this.#dependentsOf(snapshot));
    this.#damages.add(this.#object(path), failure, touched);
  }

  /** Compares files that lie in several pieces with the digest of the whole. */
  async #checkWholes(): Promise<void> {
    const wholes = new WholeDigests(this.#repository, this.#watch);
    for (const record of this.#checked) {
      const object = this.#object(record.manifest.path);
      const check = async (reader: ManifestReader): Promise<void> => {
        for (const { entry } of mergedEntries([reader])) {
          if (isBreathDue()) await this.#watch.step();
          const problem = await wholes.problemOf(entry);
          if (problem === undefined) continue;
          this.#damages.add(object, problem, this.#dependentsOf(record.id));
          this.#damages.addFile(object, entry.path);
        }
      };
      await withManifest(this.#repository, record, check).catch((error) => this.#manifestFails(record, error));
    }
  }

  #object(path: string): string {
    return `${serverFolder(this.#repository.server)}/${path}`;
  }

  /** The ids of the snapshots whose chain has this one, itself among them. */
  #dependentsOf(snapshot: string): string[] {
    const found = new Set([snapshot]);
    for (const id of found) for (const above of this.#above.get(id) ?? []) found.add(above);
    return [...found];
  }

  #checkChains(records: readonly SnapshotRecord[]): void {
    const chains = new ChainIndex(chainSnapshots(records, this.#repository));
    for (const { id, unit } of records) {
      const below = chains.below(id)?.id;
      if (below !== undefined) {
        this.#above.set(below, [...(this.#above.get(below) ?? []), id]);
        this.#below.set(id, below);
      }
      if (chains.isComplete(id)) {
        this.#whole.add(id);
        continue;
      }
      try {
        chains.select(id);
      } catch (error) {
        this.#damages.add(this.#object(snapshotPath(unit, id)), error, [id]);
      }
    }
  }

  #namePacks(record: SnapshotRecord): void {
    for (const reference of record.packs) {
      const known = this.#packs.get(reference.path);
      if (known === undefined) this.#packs.set(reference.path, { reference, snapshots: [record.id], extents: 0 });
      else {
        known.snapshots.push(record.id);
        if (known.reference.sha256 === reference.sha256 && known.reference.length === reference.length) continue;
        const path = this.#object(snapshotPath(record.unit, record.id));
        const failure = new Failure('repository_damaged', `records say different things about ${reference.path}`);
        this.#damages.add(path, failure, [record.id]);
      }
    }
  }

  async #checkManifest(record: SnapshotRecord, trees: readonly string[] | undefined): Promise<void> {
    this.#watch.objects++;
    try {
      const countExtent = (pack: string) => {
        const named = this.#packs.get(pack);
        if (named === undefined) throw damagedManifest(`it points at ${pack}, which its record does not name`);
        named.extents++;
      };
      const problem = (error: unknown) => this.#manifestFails(record, error);
      await checkManifest(this.#repository, record, trees, { countExtent, problem }, this.#watch);
      this.#checked.push(record);
    } catch (error) {
      this.#manifestFails(record, error);
    }
  }

  /** What is wrong with one manifest does not keep the others from being checked. */
  #manifestFails(record: SnapshotRecord, error: unknown): void {
    const { code } = asFailure(error);
    if (code === 'cancelled' || code === 'internal') throw error;
    if (this.#isLocked(record.manifest, [record.id], error)) return;
    this.#damages.add(this.#object(record.manifest.path), error, this.#dependentsOf(record.id));
  }

  /** Whether an error says that an object is encrypted for others. Whether it is that, or damaged, its stored bytes tell at the end. */
  #isLocked(reference: ObjectReference, snapshots: readonly string[], error: unknown): boolean {
    if (!snapshots.map((snapshot) => this.#locked.add(snapshot, error)).includes(true)) return false;
    this.#unopened.set(reference.path, { reference, snapshots });
    return true;
  }

  async #checkPacks(group: readonly NamedPack[]): Promise<void> {
    const numbers = new Map(group.map(({ reference }, number) => [reference.path, number]));
    const table = new ExtentTable(group.reduce((sum, { extents }) => sum + extents, 0));
    for (const [manifest, record] of this.#checked.entries()) {
      try {
        await collectExtents(this.#repository, record, { manifest, packs: numbers, table }, this.#watch);
      } catch (error) {
        this.#manifestFails(record, error);
      }
    }
    const references = new Map([...table.byPack()].map((found) => [found.pack, found.references]));
    for (const [number, pack] of group.entries()) await this.#checkPack(pack, references.get(number) ?? []);
  }

  async #checkPack({ reference, snapshots }: NamedPack, extents: Iterable<ExtentReference>): Promise<void> {
    this.#watch.objects++;
    const object = this.#object(reference.path);
    const touched = (snapshot: string) => this.#dependentsOf(snapshot);
    const lost = new Map<number, Map<string, ExtentReference>>();
    const problems = {
      pack: (error: unknown) => {
        if (this.#isLocked(reference, snapshots, error)) return;
        this.#damages.add(object, error, snapshots.flatMap(touched));
      },
      reference: (found: ExtentReference, error: unknown) => {
        this.#damages.add(object, error, touched((this.#checked[found.manifest] as SnapshotRecord).id));
        const rows = lost.get(found.manifest) ?? new Map<string, ExtentReference>();
        lost.set(found.manifest, rows.set(`${found.block} ${found.row}`, found));
      },
    };
    await checkPack(this.#repository, reference, extents, problems, this.#watch);
    await this.#nameFiles(object, lost);
  }

  /** Adds the files of the given manifest rows to the damaged object. */
  async #nameFiles(object: string, lost: ReadonlyMap<number, ReadonlyMap<string, ExtentReference>>): Promise<void> {
    const files = new Set<ByteString>();
    for (const [manifest, rows] of lost) {
      const record = this.#checked[manifest] as SnapshotRecord;
      const naming = withManifest(this.#repository, record, (reader) => {
        for (const { block, row } of [...rows.values()].sort((a, b) => a.block - b.block || a.row - b.row)) {
          const { path } = reader.readAt(block, row);
          if (!files.has(path)) this.#damages.addFile(object, path);
          files.add(path);
        }
      });
      await naming.catch((error) => this.#manifestFails(record, error));
    }
  }
}

/** Packs in groups of which no more than `EXTENTS_AT_ONCE` extents have to be held. */
function* packGroups(packs: Iterable<NamedPack>): Generator<NamedPack[]> {
  let group: NamedPack[] = [];
  let extents = 0;
  for (const pack of packs) {
    if (group.length > 0 && extents + pack.extents > EXTENTS_AT_ONCE) {
      yield group;
      group = [];
      extents = 0;
    }
    group.push(pack);
    extents += pack.extents;
  }
  if (group.length > 0) yield group;
}
