import type { PackNames } from '../archive/pack-names.ts';
import type { SnapshotLink } from '../chain/snapshot.ts';
import { asFailure, Failure } from '../failure.ts';
import type { RandomAccess } from '../manifest/read/random-access.ts';
import { snapshotDocument } from './documents.ts';
import { isTimedId, startsWithTimedId } from './ids.ts';
import { reveal, writeSealed } from './keys/sealed-members.ts';
import type { ServerKeys } from './keys/server-keys.ts';
import * as layout from './layout.ts';
import { ObjectOutput } from './object-output.ts';
import type { Place } from './opened-place.ts';
import type { SnapshotRecord } from './record.ts';
import { checkRecord } from './record-check.ts';
import { protect } from './recovery/protect.ts';
import { RunRecords } from './run-records.ts';
import { SealedAccess } from './sealed-access.ts';
import { ServerFolder } from './server-folder.ts';
import { readDocument } from './stored-document.ts';
import { Units } from './units.ts';

/** A record that is there and cannot be used. */
export interface UnusableRecord {
  /** Below the server's folder. */
  readonly path: string;
  readonly failure: Failure;
}

/** The records of a unit. */
export interface FoundRecords {
  /** The usable ones, oldest first. */
  readonly records: SnapshotRecord[];
  readonly unusable: UnusableRecord[];
  /** Those among `records` for which nobody vouches but a record that links to them: what would be wrong with each without that. */
  readonly doubtful: UnusableRecord[];
  /** Names among the records that this version does not know: of a later one, or somebody's. */
  readonly strange: Failure[];
}

/**
 * What one server keeps in a repository: its units, the snapshots of each, the records of its runs. What is read is checked against its
 * schema and against the name that it was found under.
 */
export class Repository extends ServerFolder {
  readonly units: Units;
  readonly runs: RunRecords;
  readonly place: Place;
  readonly #digests = new WeakMap<SnapshotRecord, string>();
  readonly #doubts = new WeakMap<SnapshotRecord, Failure>();

  constructor(place: Place, server: string, isOwn = true, keys?: ServerKeys) {
    super(place, server, isOwn, keys);
    this.place = place;
    this.units = new Units(this);
    this.runs = new RunRecords(this);
  }

  /** The folder of another server, to read. */
  ofServer(server: string): Repository {
    return new Repository(this.place, server, this.isOwn && server === this.server, this.keys.ofServer(server));
  }

  /** One snapshot of a unit by the path of its record; `linked` is the digest by which a checked record links to it. Throws what makes it unusable. */
  async readSnapshot(unit: string, path: string, linked?: string): Promise<SnapshotRecord> {
    const { value, sha256, doubt } = await readDocument(this, snapshotDocument, this.nameOf(path), linked);
    checkRecord(value, { repository: this.identity.id, server: this.server, unit, path });
    const record = value.sealed === undefined ? value : concealed(value);
    this.#digests.set(record, sha256);
    if (doubt !== undefined) this.#doubts.set(record, doubt);
    return record;
  }

  /**
   * The usable snapshots of a unit, and what of its records cannot be used or is doubtful. The records in `known`, by their paths, are
   * taken as they were read before, if they are still there.
   */
  async readSnapshots(unit: string, known: ReadonlyMap<string, SnapshotRecord> = new Map()): Promise<FoundRecords> {
    const records: SnapshotRecord[] = [];
    const doubtful: UnusableRecord[] = [];
    const strange: Failure[] = [];
    const unusable: UnusableRecord[] = [];
    const paths: string[] = [];
    for await (const { name: path } of this.listObjects(`${layout.snapshotsFolder(unit)}/`)) {
      const name = path.slice(layout.snapshotsFolder(unit).length + 1);
      if (isTimedId(layout.recordIdOf(path) ?? '') && !name.includes('/')) {
        paths.push(path);
        continue;
      }
      const failure = unknownName(this.nameOf(path));
      // A record of a later format may name packs of this unit.
      if (startsWithTimedId(name)) unusable.push({ path, failure });
      else {
        this.report(failure);
        strange.push(failure);
      }
    }
    // The newest first: a record that was checked vouches for those that it links to.
    const linked = new Map<string, string>();
    paths.sort().reverse();
    this.expectDocuments(
      snapshotDocument,
      paths.filter((path) => !known.has(path)),
    );
    for (const path of paths) {
      try {
        const record = known.get(path) ?? (await this.readSnapshot(unit, path, linked.get(layout.recordIdOf(path) ?? '')));
        const doubt = this.#doubts.get(record);
        if (doubt !== undefined) doubtful.push({ path, failure: doubt });
        for (const link of [record.parent, record.base]) if (link !== null) linked.set(link.id, link.sha256);
        records.push(record);
      } catch (error) {
        // A prune may have removed it since it was listed.
        if ((await this.objectSize(path)) !== undefined) unusable.push({ path, failure: asFailure(error) });
      }
    }
    records.reverse();
    unusable.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { records, unusable, doubtful, strange };
  }

  /** The usable snapshots of a unit, oldest first; unusable ones are reported and left out. */
  async snapshots(unit: string): Promise<SnapshotRecord[]> {
    const { records, unusable } = await this.readSnapshots(unit);
    for (const { failure } of unusable) this.report(failure);
    return records;
  }

  /** A record with its private members. Throws `identity_missing`, `identity_wrong`, `repository_damaged`. */
  async revealed(record: SnapshotRecord): Promise<SnapshotRecord> {
    if (record.sealed === undefined) return record;
    const whole = await reveal(snapshotDocument, this.nameOf(layout.snapshotPath(record.unit, record.id)), record, this.keys);
    this.#digests.set(whole, this.recordDigest(record));
    return whole;
  }

  /** SHA-256 (hexadecimal) of the stored bytes of a record that this repository read or wrote. */
  recordDigest(record: SnapshotRecord): string {
    const digest = this.#digests.get(record);
    if (digest === undefined) throw new Failure('internal', `the record ${record.id} did not come from this repository`);
    return digest;
  }

  /** Begins a pack. The packs of a snapshot are stored first, then its manifest, then its record. */
  createPack(unit: string, pack: string): Promise<ObjectOutput> {
    return ObjectOutput.create(this, this.packPath(unit, pack));
  }

  /** The path of a pack that this server writes. */
  packPath(unit: string, pack: string): string {
    return layout.packPath(unit, pack, this.keys.current !== undefined);
  }

  /** The paths of the packs that a snapshot gets. */
  packNames(unit: string, snapshot: string): PackNames {
    return layout.packNames(unit, snapshot, this.keys.current !== undefined);
  }

  createManifest(unit: string, snapshot: string): Promise<ObjectOutput> {
    return ObjectOutput.create(this, layout.manifestPath(unit, snapshot, this.keys.current !== undefined), { withContent: true });
  }

  /** Makes the snapshot exist; everything that it names must have been stored. */
  async commitRecord(record: SnapshotRecord): Promise<SnapshotLink> {
    const path = layout.snapshotPath(record.unit, record.id);
    checkRecord(record, { repository: this.identity.id, server: this.server, unit: record.unit, path });
    const sha256 = await writeSealed(snapshotDocument, this.nameOf(path), record, this);
    this.#digests.set(record, sha256);
    await this.#protectRecord(path, sha256);
    return { id: record.id, sha256 };
  }

  /** The snapshot is there by then: that a disk without room has no recovery data of its record is said, and no failure. */
  async #protectRecord(path: string, sha256: string): Promise<void> {
    if (this.recovery === undefined) return;
    try {
      await protect(this, { path, length: (await this.objectSize(path)) ?? 0, sha256 });
    } catch (error) {
      const { code, message } = asFailure(error);
      this.notify({ level: 'warning', code, message: `there is no recovery data of ${path}: ${message}`, affected: [this.nameOf(path)] });
    }
  }

  /**
   * The manifest of a snapshot for reading, in the length that the record says; the caller closes it. The content is not
   * compared with its digest: `ManifestReader.open` checks the index, and each block is checked by that.
   */
  async openManifest(record: Pick<SnapshotRecord, 'manifest'>): Promise<RandomAccess> {
    const { path, length } = record.manifest;
    const name = this.nameOf(path);
    const size = await this.backend.size(name);
    if (size !== length) {
      const message = size === undefined ? `the object ${name} is missing` : `${name} has ${size} bytes, ${length} were stored`;
      throw new Failure('repository_damaged', message, { affected: [name] });
    }
    const key = layout.isSealed(path) ? await this.keys.streamKey(name, length) : undefined;
    const stored = this.backend.openDirectly(name, length, this.stateFolder);
    return key === undefined ? stored : new SealedAccess(stored, key, name);
  }
}

/** A record of which the private members are not known: whoever asks for one by mistake must not take it for empty. */
function concealed(record: SnapshotRecord): SnapshotRecord {
  const open = { ...record };
  for (const name of snapshotDocument.hidden) {
    Object.defineProperty(open, name, {
      enumerable: false,
      get: () => {
        throw new Failure('internal', `${name} of the record ${record.id} was not revealed`);
      },
    });
  }
  return open;
}

function unknownName(name: string): Failure {
  return new Failure('repository_newer', `${name} has a name that this version does not know; it is left alone`, { affected: [name] });
}
