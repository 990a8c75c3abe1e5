import { doubtsResult } from '../browse/doubts.ts';
import { parseDuration, timeBefore } from '../chain/duration.ts';
import { simulate } from '../chain/simulate.ts';
import type { Level } from '../chain/snapshot.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import type { Failure } from '../failure.ts';
import { unitsToPrune } from '../prune/choose-units.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { SimulateRequest, SimulateResult } from '../schemas/simulate.ts';
import { retentionPolicy, schedulePolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';

type LevelSize = SimulateResult['sizes']['full'];

// What is assumed of a server of which nothing is known yet.
const ASSUMED_FULL = 10 * 1024 ** 3;
const ASSUMED_CHANGE = 0.02;

/**
 * What the schedule and the retention of the settings hold over time, from an empty repository on, with the sizes of the
 * snapshots that there are. Throws `usage` for a duration that cannot be understood or is longer than ten years.
 */
export async function simulateRetention(request: SimulateRequest, context: Context): Promise<SimulateResult> {
  const { settings, reporter } = context;
  const start = Temporal.Instant.fromEpochMilliseconds(context.now().getTime());
  const timeZone = localTimeZone((notice) => reporter.log(notice));
  const today = start.toZonedDateTimeISO(timeZone);
  const end = timeBefore(today, parseDuration(request.duration).negated());
  const days = Math.round(today.until(end, { largestUnit: 'days' }).total('days'));
  const repository = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  const { sizes, doubts } = await measure(await unitsToPrune(request.units ?? [], repository), repository, new Yielder(context));
  const bytes = { full: sizes.full.bytes, differential: sizes.differential.bytes, incremental: sizes.incremental.bytes };
  const rows = simulate(schedulePolicy(settings), retentionPolicy(settings), { days, start, timeZone, sizes: bytes });
  return { ...doubtsResult(doubts), sizes, days: rows.map(({ held, ...row }) => ({ ...row, ...held })) };
}

/** What one snapshot of each level adds, all units together. */
async function measure(
  units: readonly string[],
  repository: Repository,
  yielder: Yielder,
): Promise<{ readonly sizes: SimulateResult['sizes']; readonly doubts: readonly Failure[] }> {
  const sums: Record<Level, number> = { full: 0, differential: 0, incremental: 0 };
  const measured = new Set<Level>();
  const doubts: Failure[] = [];
  for (const unit of units) {
    await yielder.take();
    const { records, unusable } = await repository.readSnapshots(unit);
    doubts.push(...unusable.map(({ failure }) => failure));
    for (const level of ['full', 'differential', 'incremental'] as const) {
      const average = averageOf(records, level);
      if (average === undefined) continue;
      sums[level] += average;
      measured.add(level);
    }
  }
  const size = (level: Level, assumed: number): LevelSize =>
    measured.has(level) ? { bytes: Math.round(sums[level]), basis: 'measured' } : { bytes: Math.round(assumed), basis: 'assumed' };
  const full = size('full', ASSUMED_FULL);
  const incremental = size('incremental', full.bytes * ASSUMED_CHANGE);
  // A differential refers to what the incrementals before it have stored.
  return { sizes: { full, differential: size('differential', incremental.bytes), incremental }, doubts };
}

/** A synthetic full refers to what is there already, so it is no measure of what a full takes. */
function averageOf(records: readonly SnapshotRecord[], level: Level): number | undefined {
  const sizes = records.filter((record) => record.level === level && !record.synthetic).map(({ bytes }) => bytes.stored);
  return sizes.length === 0 ? undefined : sizes.reduce((sum, stored) => sum + stored, 0) / sizes.length;
}
