import { ChainIndex, chainMembers } from '../chain/chain-index.ts';
import { type PointInTime, parsePointInTime } from '../chain/point-in-time.ts';
import { resolvePointInTime } from '../chain/resolve-point-in-time.ts';
import { Failure } from '../failure.ts';
import { missingSnapshots, snapshotMissing } from '../repository/history/missing.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { recordIdOf } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository, UnusableRecord } from '../repository/repository.ts';
import type { PointInTimeResult } from '../schemas/reading.ts';
import { chainSnapshots, type RecordedSnapshot } from './chain-snapshots.ts';
import { localTimeZone } from './time-zone.ts';

/** A restore point of a unit: how it was asked for, and the records that it needs. */
export interface RestorePoint {
  readonly moment: PointInTimeResult;
  /** The full first, the snapshot itself last. */
  readonly chain: readonly SnapshotRecord[];
}

/** The snapshots of a unit, to which points in time are resolved. */
export class UnitTimeline {
  readonly unit: UnitIdentity;
  /** Usable records, oldest first. */
  readonly snapshots: readonly RecordedSnapshot[];
  readonly #repository: Repository;
  readonly #unusable: readonly UnusableRecord[];
  /** Snapshots of which was told that they are gone. */
  readonly #missing: ReadonlySet<string>;

  private constructor(
    unit: UnitIdentity,
    snapshots: readonly RecordedSnapshot[],
    { unusable, missing }: { readonly unusable: readonly UnusableRecord[]; readonly missing: ReadonlySet<string> },
    repository: Repository,
  ) {
    this.#missing = missing;
    this.#unusable = unusable;
    this.unit = unit;
    this.snapshots = snapshots;
    this.#repository = repository;
  }

  /** Throws `snapshot_unknown` when the unit has no usable snapshot. */
  static async read(unit: UnitIdentity, repository: Repository): Promise<UnitTimeline> {
    const snapshots: RecordedSnapshot[] = [];
    const unusable: UnusableRecord[] = [];
    const gone = new Set<string>();
    // What an administrator has joined belongs to the same customer.
    for (const id of [...repository.units.joinedTo(unit), unit.unit]) {
      const found = await repository.readSnapshots(id);
      for (const { failure } of found.unusable) repository.report(failure);
      for (const missing of await missingSnapshots(id, found, repository)) {
        repository.report(snapshotMissing(id, missing));
        gone.add(missing);
      }
      unusable.push(...found.unusable);
      snapshots.push(...chainSnapshots(found.records, repository));
    }
    snapshots.sort((a, b) => (a.id < b.id ? -1 : 1));
    if (snapshots.length > 0) return new UnitTimeline(unit, snapshots, { unusable, missing: gone }, repository);
    const [damaged] = unusable;
    if (damaged !== undefined) throw damaged.failure;
    throw new Failure('snapshot_unknown', `there is no usable snapshot of ${unit.name}`, {
      affected: [unit.name],
      advice: `Make one: \`apiscp-backup run ${unit.name}\`.`,
    });
  }

  /**
   * The restore point of a moment as people give it (core/chain/point-in-time.ts says how), of `latest` when none is given. A time
   * without a zone is meant in this machine's. Throws `usage`, `snapshot_unknown`, `chain_broken`.
   */
  async resolve(at: string | undefined, now: Date): Promise<RestorePoint> {
    const { id, moment, record } = this.#snapshotAt(at, now);
    const members = chainMembers(new ChainIndex(this.snapshots).select(id)).map((member) => member.record);
    const chain = await Promise.all(members.map((member) => this.#repository.revealed(member)));
    return { moment: await this.#describe(moment, record, now), chain };
  }

  /** The id of the snapshot of a moment; needs no key, also where the records are encrypted. Throws `usage`, `snapshot_unknown`. */
  snapshotAt(at: string | undefined, now: Date): string {
    return this.#snapshotAt(at, now).id;
  }

  #snapshotAt(at: string | undefined, now: Date) {
    const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
    const moment = parsePointInTime(at ?? 'latest', instant, localTimeZone(this.#repository.notify));
    return { moment, ...this.#find(moment) };
  }

  #find(moment: PointInTime): RecordedSnapshot {
    try {
      return resolvePointInTime(moment, this.snapshots);
    } catch (error) {
      if (!(error instanceof Failure) || error.advice !== undefined) throw error;
      const damaged = this.#unusable.find(({ path }) => moment.kind === 'snapshot' && recordIdOf(path) === moment.id);
      if (damaged !== undefined) throw damaged.failure;
      const advice = `\`apiscp-backup list ${this.unit.name}\` shows those that there are.`;
      throw new Failure(error.code, error.message, { affected: error.affected, advice });
    }
  }

  async #describe(moment: PointInTime, record: SnapshotRecord, now: Date): Promise<PointInTimeResult> {
    const named = moment.kind === 'snapshot';
    const instant = named ? record.time : moment.instant.toString();
    const stood = named ? null : await this.#lastUnchanged(record, Date.parse(instant), now.getTime());
    return { text: moment.text, zone: named ? 'UTC' : moment.timeZone, instant, snapshot: record.id, taken: record.time, stood };
  }

  /** Says so when the snapshot that the newest run names was taken away: what is taken for the newest is older then. */
  async #tellMissing(id: string): Promise<void> {
    const there = [...this.snapshots.map(({ record }) => record), ...this.#unusable.map(({ path }) => ({ id: recordIdOf(path) ?? '' }))];
    const named = new Map([[this.unit.unit, { id }]]);
    const missing = await missingSnapshots(this.unit.unit, { records: there, unusable: [] }, this.#repository, { named });
    for (const each of missing) if (!this.#missing.has(each)) this.#repository.report(snapshotMissing(this.unit.unit, each));
  }

  /** When the last run up to `limit` (milliseconds since 1970) found nothing changed since `record`. */
  async #lastUnchanged(record: SnapshotRecord, limit: number, now: number): Promise<string | null> {
    let isNewest = limit >= now;
    for await (const { time, units } of this.#repository.runs.backFrom(new Date(limit))) {
      const named = units.find(({ unit, snapshot }) => unit === this.unit.unit && snapshot !== null)?.snapshot;
      if (isNewest && named) await this.#tellMissing(named.id);
      if (named) isNewest = false;
      const found = units.find(({ unit, outcome }) => unit === this.unit.unit && outcome === 'unchanged');
      if (found?.snapshot?.id === record.id && Date.parse(found.time) <= limit) return found.time;
      if (Date.parse(time) < Date.parse(record.time)) return null;
    }
    return null;
  }
}
