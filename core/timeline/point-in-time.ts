import { basename } from 'node:path';
import { ChainIndex, chainMembers } from '../chain/chain-index.ts';
import { type PointInTime, parsePointInTime } from '../chain/point-in-time.ts';
import { resolvePointInTime } from '../chain/resolve-point-in-time.ts';
import { Failure } from '../failure.ts';
import { missingSnapshots, snapshotMissing } from '../repository/history/missing.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { timeOfId } from '../repository/ids.ts';
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
  /** Newer snapshots, up to the moment, that cannot be used or are gone: the point would be one of them. None where a snapshot was named. */
  readonly passedOver: readonly Failure[];
  /** Records of runs that cannot be used: how long nothing changed is not certain. */
  readonly unreadRuns: readonly Failure[];
}

/** Snapshots of which was told that they are gone, by their ids, and why others cannot be used. */
interface Gaps {
  readonly unusable: readonly UnusableRecord[];
  readonly missing: ReadonlyMap<string, Failure>;
}

/** What reading the records of runs brought to light. */
interface FoundInRuns {
  readonly unreadRuns: Failure[];
  /** Newest snapshots that they name and that are gone, by their ids. */
  readonly newest: Map<string, Failure>;
}

/** What is damaged or gone for good: another day it is no other. */
const LASTING: ReadonlySet<string> = new Set(['repository_damaged', 'repository_newer', 'history_missing']);

function refuseUncertain(text: string, passedOver: readonly Failure[]): void {
  const refused = passedOver.find(({ code }) => !LASTING.has(code));
  if (refused === undefined) return;
  const { code, message, affected, retry } = refused;
  const advice = 'Name a snapshot by its id, as `apiscp-backup list` shows it.';
  throw new Failure(code, `which snapshot ${text} is cannot be told: ${message}`, { affected, retry, advice });
}

/**
 * The same point, for whoever replaces something by it: where the place does not give a newer snapshot today that tomorrow it may, an older one
 * is not taken for it. Throws why it was not given.
 */
export function certain(point: RestorePoint): RestorePoint {
  refuseUncertain(point.moment.text, point.passedOver);
  return point;
}

/** What an answer about a point in time is not certain of. */
export function doubtsOf({ passedOver, unreadRuns }: RestorePoint): readonly Failure[] {
  return [...passedOver, ...unreadRuns];
}

/** The same for what was restored of it: damaged records of runs change nothing of that. */
export function doubtsOfRestored({ passedOver, unreadRuns }: RestorePoint): readonly Failure[] {
  return [...passedOver, ...unreadRuns.filter(({ code }) => !LASTING.has(code))];
}

/** The snapshots of a unit, to which points in time are resolved. */
export class UnitTimeline {
  readonly unit: UnitIdentity;
  /** Usable records, oldest first. */
  readonly snapshots: readonly RecordedSnapshot[];
  readonly #repository: Repository;
  readonly #gaps: Gaps;

  private constructor(unit: UnitIdentity, snapshots: readonly RecordedSnapshot[], gaps: Gaps, repository: Repository) {
    this.#gaps = gaps;
    this.unit = unit;
    this.snapshots = snapshots;
    this.#repository = repository;
  }

  /** Throws `snapshot_unknown` when the unit has no usable snapshot. */
  static async read(unit: UnitIdentity, repository: Repository): Promise<UnitTimeline> {
    const snapshots: RecordedSnapshot[] = [];
    const unusable: UnusableRecord[] = [];
    const gone = new Map<string, Failure>();
    // What an administrator has joined belongs to the same customer.
    for (const id of [...repository.units.joinedTo(unit), unit.unit]) {
      const found = await repository.readSnapshots(id);
      for (const { failure } of [...found.unusable, ...found.doubtful]) repository.report(failure);
      for (const missing of await missingSnapshots(id, found, repository)) {
        const failure = snapshotMissing(id, missing);
        repository.report(failure);
        gone.set(missing, failure);
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

  /** What keeps snapshots of the unit from being among `snapshots`. */
  get gaps(): readonly Failure[] {
    const { unusable, missing } = this.#gaps;
    return [...this.#repository.units.unreadNotes, ...unusable.map(({ failure }) => failure), ...missing.values()];
  }

  /**
   * The restore point of a moment as people give it (core/chain/point-in-time.ts says how), of `latest` when none is given. A time
   * without a zone is meant in this machine's. Throws `usage`, `snapshot_unknown`, `chain_broken`, `identity_missing`, `identity_wrong`.
   */
  async resolve(at: string | undefined, now: Date): Promise<RestorePoint> {
    return this.#pointOf(at, now, (chain) => chain);
  }

  /** The same for whoever needs the record of the snapshot alone: the chain is only that. What it lies on may need another key. */
  async resolveRecord(at: string | undefined, now: Date): Promise<RestorePoint> {
    return this.#pointOf(at, now, (chain) => chain.slice(-1));
  }

  async #pointOf(
    at: string | undefined,
    now: Date,
    needed: (chain: readonly SnapshotRecord[]) => readonly SnapshotRecord[],
  ): Promise<RestorePoint> {
    const { id, moment, record } = this.#snapshotAt(at, now);
    const members = needed(chainMembers(new ChainIndex(this.snapshots).select(id)).map((member) => member.record));
    const chain = await Promise.all(members.map((member) => this.#repository.revealed(member)));
    const unreadRuns: Failure[] = [];
    const newest = new Map<string, Failure>();
    const described = await this.#describe(moment, record, now, { unreadRuns, newest });
    return { moment: described, chain, passedOver: this.#passedOver(moment, record, newest), unreadRuns };
  }

  /**
   * The id of the snapshot of a moment; needs no key, also where the records are encrypted. Throws `usage`, `snapshot_unknown`, and why the
   * place does not give a newer one today.
   */
  snapshotAt(at: string | undefined, now: Date): string {
    const { id, moment, record } = this.#snapshotAt(at, now);
    refuseUncertain(moment.text, this.#passedOver(moment, record));
    return id;
  }

  /** Why newer snapshots up to a moment are not the one that it means. `newest`: those that the records of runs name besides. */
  #passedOver(moment: PointInTime, { id, time }: SnapshotRecord, newest: ReadonlyMap<string, Failure> = new Map()): Failure[] {
    if (moment.kind === 'snapshot') return [];
    const limit = Math.max(moment.instant.epochMilliseconds, Date.parse(time));
    const { unusable, missing } = this.#gaps;
    const found = [...unusable.map(({ path, failure }) => [basename(path), failure] as const), ...missing, ...newest];
    return found.filter(([name]) => name > id && timeOfId(name).getTime() <= limit).map(([, failure]) => failure);
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
      const damaged = this.#gaps.unusable.find(({ path }) => moment.kind === 'snapshot' && recordIdOf(path) === moment.id);
      if (damaged !== undefined) throw damaged.failure;
      const advice = `\`apiscp-backup list ${this.unit.name}\` shows those that there are.`;
      throw new Failure(error.code, error.message, { affected: error.affected, advice });
    }
  }

  async #describe(moment: PointInTime, record: SnapshotRecord, now: Date, found: FoundInRuns): Promise<PointInTimeResult> {
    const named = moment.kind === 'snapshot';
    const instant = named ? record.time : moment.instant.toString();
    const stood = named ? null : await this.#lastUnchanged(record, Date.parse(instant), now.getTime(), found);
    return { text: moment.text, zone: named ? 'UTC' : moment.timeZone, instant, snapshot: record.id, taken: record.time, stood };
  }

  /** Says so when the snapshot that the newest run names was taken away: what is taken for the newest is older then. */
  async #tellMissing(id: string, newest: Map<string, Failure>): Promise<void> {
    const { unusable, missing: known } = this.#gaps;
    const there = [...this.snapshots.map(({ record }) => record), ...unusable.map(({ path }) => ({ id: recordIdOf(path) ?? '' }))];
    const named = new Map([[this.unit.unit, { id }]]);
    const missing = await missingSnapshots(this.unit.unit, { records: there, unusable: [] }, this.#repository, { named });
    for (const each of missing) {
      if (known.has(each)) continue;
      const failure = snapshotMissing(this.unit.unit, each);
      this.#repository.report(failure);
      newest.set(each, failure);
    }
  }

  /** When the last run up to `limit` (milliseconds since 1970) found nothing changed since `record`. */
  async #lastUnchanged(record: SnapshotRecord, limit: number, now: number, { unreadRuns, newest }: FoundInRuns): Promise<string | null> {
    let isNewest = limit >= now;
    const runs = this.#repository.runs.backFrom(new Date(limit), (failure) => unreadRuns.push(failure));
    for await (const { time, units } of runs) {
      const named = units.find(({ unit, snapshot }) => unit === this.unit.unit && snapshot !== null)?.snapshot;
      if (isNewest && named) await this.#tellMissing(named.id, newest);
      if (named) isNewest = false;
      const found = units.find(({ unit, outcome }) => unit === this.unit.unit && outcome === 'unchanged');
      if (found?.snapshot?.id === record.id && Date.parse(found.time) <= limit) return found.time;
      if (Date.parse(time) < Date.parse(record.time)) return null;
    }
    return null;
  }
}
