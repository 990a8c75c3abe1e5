import { Failure } from '../failure.ts';
import { chooseLevel } from './choose-level.ts';
import { decideRetention } from './decide-retention.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { SchedulePolicy } from './schedule-policy.ts';
import { type ChainSnapshot, type Level, newest, type SnapshotLink } from './snapshot.ts';

export interface Simulation {
  /** How many days; one backup and one prune a day. */
  readonly days: number;
  /** When the first backup runs; the others run at the same time of day in `timeZone`. */
  readonly start: Temporal.Instant;
  readonly timeZone: string;
  /** What a snapshot of each level adds to the repository, in bytes. */
  readonly sizes: Readonly<Record<Level, number>>;
}

/** What is there in the evening of one day. */
export interface SimulatedDay {
  /** `2026-11-20`. */
  readonly date: string;
  readonly level: Level;
  readonly reason: string;
  /** Snapshots that retention deleted on this day. */
  readonly deleted: number;
  /** Snapshots held after that, by level. */
  readonly held: Readonly<Record<Level, number>>;
  /** The date of the oldest of them. */
  readonly oldest: string;
  /** Their sizes together. */
  readonly bytes: number;
}

const MOST_DAYS = 3660;

function link({ id, sha256 }: ChainSnapshot): SnapshotLink {
  return { id, sha256 };
}

function nextSnapshot(held: readonly ChainSnapshot[], level: Level, time: Temporal.Instant): ChainSnapshot {
  const id = time.toString();
  const made = { id, sha256: id, level, synthetic: false, time: id };
  const parent = newest(held);
  if (level === 'full' || parent === undefined) return { ...made, parent: null, base: null };
  return { ...made, parent: link(parent), base: parent.level === 'full' ? link(parent) : parent.base };
}

/**
 * What a schedule and a retention hold over time, day by day from an empty repository. Sizes are added up, so contents that
 * snapshots share count as often as the given sizes count them. Throws `usage` for more than ten years.
 */
export function simulate(schedule: SchedulePolicy, retention: RetentionPolicy, simulation: Simulation): SimulatedDay[] {
  const { days, start, timeZone, sizes } = simulation;
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new Failure('usage', `a simulation covers 1 to ${MOST_DAYS} days, not ${days}`);
  }
  const first = start.toZonedDateTimeISO(timeZone);
  const dateOf = (time: string) => Temporal.Instant.from(time).toZonedDateTimeISO(timeZone).toPlainDate().toString();
  let snapshots: ChainSnapshot[] = [];
  const rows: SimulatedDay[] = [];
  for (let day = 0; day < days; day++) {
    const now = first.add({ days: day }).toInstant();
    const { level, reason } = chooseLevel(schedule, snapshots, now, timeZone);
    snapshots.push(nextSnapshot(snapshots, level, now));
    const { verdicts, deletions } = decideRetention(snapshots, retention, now, timeZone);
    const kept = new Set(verdicts.filter((verdict) => verdict.keep).map((verdict) => verdict.id));
    snapshots = snapshots.filter((snapshot) => kept.has(snapshot.id));

    const held = { full: 0, differential: 0, incremental: 0 };
    for (const snapshot of snapshots) held[snapshot.level]++;
    const bytes = held.full * sizes.full + held.differential * sizes.differential + held.incremental * sizes.incremental;
    rows.push({ date: dateOf(now.toString()), level, reason, deleted: deletions, held, oldest: dateOf(snapshots[0]!.time), bytes });
  }
  return rows;
}
