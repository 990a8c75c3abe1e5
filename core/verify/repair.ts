import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { asFailure, type Failure } from '../failure.ts';
import type { FoundDeletions } from '../repository/history/deletions.ts';
import { missingSnapshots, snapshotMissing } from '../repository/history/missing.ts';
import { recordIdOf, recoveryPath, snapshotPath } from '../repository/layout.ts';
import { ManifestCache } from '../repository/manifest-cache.ts';
import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import { canBeProtected } from '../repository/recovery/geometry.ts';
import { heal, isWholeRecovery, readRecovery } from '../repository/recovery/heal.ts';
import { makeRecovery } from '../repository/recovery/make-recovery.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { HealedObject, LostObject } from '../schemas/repair.ts';
import { missing, problemOfStored } from './stored-bytes.ts';
import type { VerificationWatch } from './watch.ts';

/** An object that has to have these bytes. */
interface Wanted {
  readonly path: string;
  readonly length: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly snapshots: string[];
  /** The record whose manifest it is. */
  readonly manifestOf?: SnapshotRecord;
}

/** What a repair did, or would do. */
export interface Repaired {
  readonly healed: HealedObject[];
  readonly lost: LostObject[];
  readonly protected: string[];
}

/** What says which snapshots should be there. */
export interface History {
  readonly runs: RunIndex;
  readonly deletions: FoundDeletions;
}

/**
 * Compares every object that the snapshots of a unit name with its digest, and heals what is damaged: records first, which say what the others have to be.
 * The caller keeps away whoever writes or deletes there. An object is replaced by the bytes that it had and by nothing else.
 */
export class UnitRepair {
  readonly #repository: Repository;
  readonly #watch: VerificationWatch;
  readonly #isTrial: boolean;
  readonly #found: Repaired;
  readonly #history: History;

  constructor(repository: Repository, history: History, watch: VerificationWatch, isTrial: boolean, found: Repaired) {
    this.#repository = repository;
    this.#history = history;
    this.#watch = watch;
    this.#isTrial = isTrial;
    this.#found = found;
  }

  async repair(unit: string): Promise<void> {
    const met = await this.#repairRecords(unit);
    const { records, unusable, doubtful } = await this.#repository.readSnapshots(unit);
    for (const { path, failure } of doubtful) this.#lose(path, failure, [recordIdOf(path) ?? path]);
    for (const { path, failure } of unusable) if (!met.has(path)) this.#lose(path, failure, [recordIdOf(path) ?? path]);
    const wanted = new Map<string, Wanted>();
    for (const record of records) {
      const sha256 = this.#repository.recordDigest(record);
      const path = snapshotPath(unit, record.id);
      wanted.set(path, { path, length: (await this.#repository.objectSize(path)) ?? 0, sha256, snapshots: [record.id] });
      const { manifest } = record;
      wanted.set(manifest.path, {
        path: manifest.path,
        length: manifest.length,
        sha256: manifest.sha256,
        snapshots: [record.id],
        manifestOf: record,
      });
      for (const { path: pack, length, sha256: digest } of record.packs) {
        const known = wanted.get(pack);
        if (known === undefined) wanted.set(pack, { path: pack, length, sha256: digest, snapshots: [record.id] });
        else known.snapshots.push(record.id);
      }
    }
    for (const object of wanted.values()) await this.#repairObject(object);
  }

  /**
   * Records that cannot be used, or are missing and linked to or named by runs, from their recovery data: what comes out has the digest that was stored with it.
   * Returns the paths of all that could not be used.
   */
  async #repairRecords(unit: string): Promise<ReadonlySet<string>> {
    const { records, unusable } = await this.#repository.readSnapshots(unit);
    for (const { path, failure } of unusable) {
      if (failure.code === 'repository_damaged') await this.#repairRecord(path, failure);
      else this.#lose(path, failure, [recordIdOf(path) ?? path]);
    }
    // What a kept snapshot builds on was not deleted by retention.
    const there = new Set([...records.map(({ id }) => id), ...unusable.map(({ path }) => recordIdOf(path))]);
    for (const { level, parent, base } of records) {
      for (const link of level === 'incremental' ? [parent, base] : [base]) {
        if (link === null || there.has(link.id)) continue;
        there.add(link.id);
        await this.#repairRecord(snapshotPath(unit, link.id), missing(snapshotPath(unit, link.id)), link.sha256);
      }
    }
    const { runs, deletions } = this.#history;
    for (const id of await missingSnapshots(unit, { records, unusable }, this.#repository, runs, deletions))
      if (!there.has(id)) await this.#repairRecord(snapshotPath(unit, id), snapshotMissing(unit, id));
    return new Set(unusable.map(({ path }) => path));
  }

  async #repairRecord(path: string, failure: Failure, sha256?: string): Promise<void> {
    this.#watch.objects++;
    const id = recordIdOf(path) ?? path;
    const expected = sha256 === undefined ? undefined : { path, length: undefined, sha256 };
    if (await this.#healed(path, expected, failure, [id])) this.#note(path, 'recovery-data');
  }

  async #repairObject(object: Wanted): Promise<void> {
    this.#watch.objects++;
    const failure = await problemOfStored(this.#repository, object, this.#watch);
    if (failure === undefined) return this.#protect(object);
    if (this.#fromState(object)) {
      await this.#writeFromState(object);
      return this.#note(object.path, 'state-directory');
    }
    if (await this.#healed(object.path, object, failure, object.snapshots)) this.#note(object.path, 'recovery-data');
  }

  /** A record that cannot be read today, or is of a later format: what it names is not looked at. */
  #lose(path: string, { code, message }: Failure, snapshots: string[]): void {
    this.#found.lost.push({ object: this.#repository.nameOf(path), code, message, snapshots });
  }

  #note(path: string, from: HealedObject['from']): void {
    this.#found.healed.push({ object: this.#repository.nameOf(path), from });
  }

  /** Whether it was, or could be, healed by its recovery data. What cannot be healed is noted. */
  async #healed(
    path: string,
    expected: { readonly length: number | undefined; readonly sha256: string } | undefined,
    failure: Failure,
    snapshots: readonly string[],
  ): Promise<boolean> {
    const hopeless = (reason: string): false => {
      const message = `${failure.message}; ${reason}`;
      this.#found.lost.push({ object: this.#repository.nameOf(path), code: failure.code, message, snapshots: [...snapshots] });
      return false;
    };
    try {
      const recovery = await readRecovery(this.#repository, path);
      if (recovery === undefined) return hopeless('there is no recovery data of it');
      const { head } = recovery;
      if (expected !== undefined && head.sha256 !== expected.sha256) return hopeless('its recovery data is of another object');
      const { lost, hopeless: beyond } = await heal(this.#repository, path, head, this.#isTrial);
      await this.#watch.step();
      return beyond === 0
        ? true
        : hopeless(`${lost} pieces of ${head.geometry.shard} bytes are lost, more than its recovery data can heal`);
    } catch (error) {
      const { code, message } = asFailure(error);
      if (code === 'cancelled' || code === 'internal') throw error;
      return hopeless(message);
    }
  }

  /** The state directory's copy of a manifest that is stored as it is. Undefined when there is none that is whole. */
  #copyOf({ manifestOf, sha256 }: Wanted): Buffer | undefined {
    if (manifestOf === undefined || plainManifest(manifestOf.manifest).sha256 !== sha256) return undefined;
    try {
      const copy = readFileSync(new ManifestCache(this.#repository).pathOf(manifestOf));
      return createHash('sha256').update(copy).digest('hex') === sha256 ? copy : undefined;
    } catch {
      return undefined;
    }
  }

  #fromState(object: Wanted): boolean {
    return this.#copyOf(object) !== undefined;
  }

  async #writeFromState(object: Wanted): Promise<void> {
    const copy = this.#copyOf(object);
    if (this.#isTrial || copy === undefined) return;
    const writer = await this.#repository.backend.create(this.#repository.nameOf(object.path), 'replacing');
    try {
      await writer.write(copy);
      await writer.commit();
    } finally {
      await writer.abort().catch(() => {});
    }
  }

  /** Makes recovery data of a sound object anew when it is damaged, or missing and wanted. */
  async #protect({ path, length, sha256 }: Wanted): Promise<void> {
    const { recovery: wanted } = this.#repository;
    const found = await this.#percentOf(path, sha256);
    if (found === 'sound') return;
    const percent = wanted ?? found;
    if (percent === undefined) return;
    const isMade = this.#isTrial
      ? canBeProtected(length, percent)
      : await makeRecovery(this.#repository, { path, length, sha256 }, percent, 'replacing');
    if (!isMade) return;
    this.#found.protected.push(this.#repository.nameOf(path));
  }

  /** Whether the recovery data of an object is sound; else how much of it there was, as far as that can be told. */
  async #percentOf(path: string, sha256: string): Promise<'sound' | number | undefined> {
    try {
      const recovery = await readRecovery(this.#repository, path);
      if (recovery === undefined) return undefined;
      const { head, isSound } = recovery;
      if (isSound && head.sha256 === sha256 && (await isWholeRecovery(this.#repository, recoveryPath(path), head))) return 'sound';
      return Math.max(1, Math.floor((head.geometry.parity * 100) / head.geometry.data));
    } catch (error) {
      if (asFailure(error).code !== 'repository_damaged') throw error;
      return 1;
    }
  }
}
