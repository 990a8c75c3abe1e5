import { isOverdue, lastDue } from '../chain/night.ts';
import type { Context } from '../context/context.ts';
import { type CoveredUnit, coverage } from '../monitor/coverage.ts';
import { nightState } from '../monitor/night-state.ts';
import { unitProblems } from '../monitor/unit-problems.ts';
import { readUnitState, type UnitState } from '../monitor/unit-state.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { RunUnit } from '../repository/run-record.ts';
import type { StatusProblem, StatusRequest, StatusResult, UnitStatus } from '../schemas/status.ts';
import { readNight } from '../timeline/last-night.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { lastUnchanged } from '../timeline/unchanged-runs.ts';
import { readVerified } from '../verify/verified-units.ts';

/** Runs in whose records an outcome is looked for: a unit that is in none of them has not been in a run for long. */
const RUNS_LOOKED_AT = 10;

/** How the backups of the server stand: by records, listings and what the state directory remembers; quick for a server of many accounts. */
export async function status(_request: StatusRequest, context: Context): Promise<StatusResult> {
  const { settings } = context;
  const now = context.now().getTime();
  const instant = Temporal.Instant.fromEpochMilliseconds(now);
  const repository = await openRepository(settings, 'read', (notice) => context.reporter.log(notice));
  const zone = localTimeZone(repository.notify);
  const policy = schedulePolicy(settings);
  const due = lastDue(policy.time, instant, zone);
  const night = nightState(readNight(settings.stateDirectory), settings.enabled, policy, instant, zone);
  const covered = await coverage(repository, settings);
  const unchanged = lastUnchanged(await RunIndex.read(repository, now));
  const outcomes = await lastOutcomes(repository, covered.length, now);
  const verified = readVerified(repository.stateFolder);
  const problems: StatusProblem[] = [...night.problems];
  const units: UnitStatus[] = [];
  for (const each of covered) {
    const id = each.unit?.unit;
    const state = id === undefined ? undefined : await readUnitState(id, repository, unchanged, now);
    const isEmpty = state?.last === undefined && state?.obstacle === undefined;
    // What killed runs began, and stored nothing of, is nobody's.
    if (each.living === undefined && isEmpty) continue;
    const outcome = outcomes.get(each.name);
    const checked = id === undefined ? undefined : verified.get(id);
    const unit: UnitStatus = { ...describe(each, state, due, now), outcome: outcome?.outcome ?? null, verified: checked?.time ?? null };
    units.push(unit);
    problems.push(...unitProblems({ covered: each, state, status: unit, outcome, verified: checked }));
  }
  const named = (choose: (unit: UnitStatus) => boolean) => units.filter(choose).map(({ unit }) => unit);
  return {
    status: problems.some(({ code }) => code === 'damaged') ? 'damaged' : problems.length > 0 ? 'partial' : 'ok',
    time: new Date(now).toISOString(),
    automatic: night.automatic,
    coverage: {
      living: named(({ living }) => living).length,
      withoutBackup: named(({ living, snapshot }) => living && snapshot === null),
      vanished: named(({ living }) => !living),
    },
    problems,
    units,
  };
}

function describe(
  { name, living, unit }: CoveredUnit,
  state: UnitState | undefined,
  due: number,
  now: number,
): Omit<UnitStatus, 'outcome' | 'verified'> {
  const last = state?.last;
  return {
    unit: name as UnitStatus['unit'],
    unitId: unit?.unit ?? null,
    domain: living?.domain ?? unit?.domain ?? null,
    living: living !== undefined,
    snapshot: last?.record.id ?? null,
    level: last?.record.level ?? null,
    complete: last !== undefined && last === state?.lastComplete,
    time: last === undefined ? null : new Date(last.until).toISOString(),
    age: last === undefined ? null : Math.max(0, Math.round((now - last.until) / 1000)),
    lastComplete: state?.lastComplete?.record.id ?? null,
    overdue: living !== undefined && last !== undefined && isOverdue(last.until, due, now),
    chainLength: last?.chainLength ?? 0,
    chainBytes: last?.chainBytes ?? 0,
    bytes: last?.record.bytes.total ?? 0,
  };
}

/** What became of each unit, by its name, in the newest run that it was in. */
async function lastOutcomes(repository: Repository, count: number, now: number): Promise<Map<string, RunUnit>> {
  const outcomes = new Map<string, RunUnit>();
  let looked = 0;
  for await (const { units } of repository.runs.backFrom(new Date(now))) {
    for (const unit of units) if (!outcomes.has(unit.name)) outcomes.set(unit.name, unit);
    if (outcomes.size >= count || ++looked >= RUNS_LOOKED_AT) break;
  }
  return outcomes;
}
