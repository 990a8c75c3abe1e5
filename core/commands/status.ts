import { isOverdue, lastDue, overdueFrom } from '../chain/night.ts';
import { breath, isBreathDue } from '../context/breath.ts';
import type { Context } from '../context/context.ts';
import type { Failure } from '../failure.ts';
import { isLocked } from '../locks/locks.ts';
import { copyProblems, copyStates, damagedInCopies, knownCopies, unitInCopies } from '../monitor/copies-state.ts';
import { type CoveredUnit, coverage } from '../monitor/coverage.ts';
import { nightState } from '../monitor/night-state.ts';
import { unitProblems } from '../monitor/unit-problems.ts';
import { readUnitState, type UnitState } from '../monitor/unit-state.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { RunUnit } from '../repository/run-record.ts';
import type { StatusProblem, StatusRequest, StatusResult, UnitStatus } from '../schemas/status.ts';
import { problemKey, readKnownProblems } from '../timeline/known-problems.ts';
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
  repository.expectAll();
  const zone = localTimeZone(repository.notify);
  const policy = schedulePolicy(settings);
  const due = lastDue(policy.time, instant, zone);
  const { enabled, stateDirectory } = settings;
  const night = nightState({
    note: readNight(stateDirectory),
    enabled,
    policy,
    now: instant,
    timeZone: zone,
    isAtWork: isLocked(stateDirectory, 'nightly'),
  });
  const covered = await coverage(repository, settings);
  const runs = await RunIndex.read(repository, now);
  const unchanged = lastUnchanged(runs);
  const unreadRuns: Failure[] = [];
  const outcomes = await lastOutcomes(repository, covered.length, now, unreadRuns);
  const verified = readVerified(repository.stateFolder);
  const copies = copyStates(repository, settings);
  const known = knownCopies(repository, copies);
  const { leftOut, unreadNotes } = repository.units;
  const unread = [...leftOut.values(), ...unreadNotes, ...runs.unread, ...unreadRuns];
  const problems: StatusProblem[] = [...night.problems, ...copyProblems(copies, now), ...unclear(unread)];
  const units: UnitStatus[] = [];
  for (const each of covered) {
    // Whoever asks something else meanwhile is answered.
    if (isBreathDue()) await breath();
    const id = each.unit?.unit;
    const state = id === undefined ? undefined : await readUnitState(id, repository, unchanged, now);
    const isEmpty = state?.last === undefined && state?.obstacle === undefined;
    // What killed runs began, and stored nothing of, is nobody's.
    if (each.living === undefined && isEmpty) continue;
    const { newest: outcome, failedSince } = outcomes.get(each.name) ?? {};
    const checked = id === undefined ? undefined : verified.get(id);
    const described = describe(each, state, due, now);
    const unit: UnitStatus = {
      ...described,
      copies: unitInCopies(known, described, due, now),
      formerDomains: await formerDomains(each, repository),
      outcome: outcome?.outcome ?? null,
      warnings: outcome?.warningCount ?? 0,
      verified: checked?.time ?? null,
    };
    units.push(unit);
    const overdue = overdueFrom(state?.last?.until ?? 0, policy.time, zone);
    problems.push(...unitProblems({ covered: each, state, status: unit, outcome, verified: checked, failedSince, overdueFrom: overdue }));
  }
  problems.push(...damagedInCopies(units));
  const named = (choose: (unit: UnitStatus) => boolean) => units.filter(choose).map(({ unit }) => unit);
  return {
    status: problems.some(({ code }) => code === 'damaged') ? 'damaged' : problems.length > 0 ? 'partial' : 'ok',
    time: new Date(now).toISOString(),
    destination: settings.repository,
    automatic: night.automatic,
    coverage: {
      living: named(({ living }) => living).length,
      withoutBackup: named(({ living, snapshot }) => living && snapshot === null),
      vanished: named(({ living }) => !living),
    },
    copies,
    problems: withMemory(problems, readKnownProblems(stateDirectory).since),
    units,
  };
}

/** What is remembered of an earlier time counts where the records say less. */
function withMemory(problems: readonly StatusProblem[], remembered: ReadonlyMap<string, string>): StatusProblem[] {
  return problems.map((problem) => {
    const [since = null] = [problem.since, remembered.get(problemKey(problem))].filter((time) => typeof time === 'string').sort();
    return { ...problem, since };
  });
}

function describe(
  { name, living, unit }: CoveredUnit,
  state: UnitState | undefined,
  due: number,
  now: number,
): Omit<UnitStatus, 'copies' | 'formerDomains' | 'outcome' | 'warnings' | 'verified'> {
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
    entries: last?.record.counts.entries ?? 0,
  };
}

/** The domains that an account had before the present one, as far as they can be read here. */
async function formerDomains({ living, unit }: CoveredUnit, repository: Repository): Promise<string[]> {
  const held = unit === undefined ? [] : await repository.units.domainsOf(unit).catch(() => []);
  const present = living?.domain ?? held.at(-1)?.domain;
  const former = held.flatMap(({ domain }) => (domain === null || domain === present ? [] : [domain]));
  return [...new Set(former)];
}

/** What became of a unit in its newest runs. */
interface Outcomes {
  readonly newest: RunUnit;
  /** Undefined when the newest run of it did not fail. */
  readonly failedSince: string | undefined;
}

/** What the answer may be wrong about, because it could not be read. */
function unclear(unread: readonly Failure[]): StatusProblem[] {
  const messages = new Set(unread.map(({ message }) => message));
  return [...messages].map((message) => ({ code: 'unclear', unit: null, message, advice: 'apiscp-backup verify', since: null }));
}

/** What became of each unit, by its name, in the newest runs that it was in; what of the records cannot be used goes to `unread`. */
async function lastOutcomes(repository: Repository, count: number, now: number, unread: Failure[]): Promise<Map<string, Outcomes>> {
  const outcomes = new Map<string, Outcomes>();
  const failing = new Set<string>();
  let looked = 0;
  for await (const { units } of repository.runs.backFrom(new Date(now), (failure) => unread.push(failure))) {
    for (const unit of units) {
      const { newest = unit } = outcomes.get(unit.name) ?? {};
      const isFirst = newest === unit;
      const fails = unit.outcome === 'failed' && (isFirst || failing.has(unit.name));
      if (fails) failing.add(unit.name);
      else failing.delete(unit.name);
      if (isFirst || fails) outcomes.set(unit.name, { newest, failedSince: fails ? unit.time : undefined });
    }
    if ((outcomes.size >= count && failing.size === 0) || ++looked >= RUNS_LOOKED_AT) break;
  }
  return outcomes;
}
