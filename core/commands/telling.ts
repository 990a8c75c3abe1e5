import { hostname } from 'node:os';
import { notifyOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { type Delivered, deliver, isHeartbeat } from '../notify/deliver.ts';
import { nightMessage } from '../notify/night-message.ts';
import { isWorthTelling, type NightReport, type ToldProblem } from '../notify/night-report.ts';
import type { StatusResult } from '../schemas/status.ts';
import { type KnownProblems, problemKey, readKnownProblems, writeKnownProblems } from '../timeline/known-problems.ts';
import { readNight } from '../timeline/last-night.ts';
import { measure } from './measuring.ts';
import { status } from './status.ts';

/** How often people are tried to be told of one event when nothing at all works; the watch tries once an hour. */
const MOST_TRIES = 6;

/** What was found out for the telling. */
interface Found {
  /** Undefined when it could not be told. */
  readonly status: StatusResult | undefined;
  readonly problems: readonly ToldProblem[];
}

export interface Told {
  readonly subject: string;
  /** Undefined when there was nothing to tell. */
  readonly delivered: Delivered | undefined;
}

/**
 * Tells people how the backups stand after an event, which is a night that is over or one that did not come: once, and only when something
 * is wrong, is in order again, or they want to hear it always. `own` are problems that the status does not know of. Writes the metrics.
 * Never throws but when it is stopped: nothing that is told changes what a backup was. `silent` are the heartbeats of the event that reached
 * nobody, which are remembered beside the other ways; undefined: none was due. Undefined when people know of the event already.
 */
export async function tellOf(
  event: string,
  own: readonly ToldProblem[],
  context: Context,
  silent?: ReadonlyMap<string, string>,
): Promise<Told | undefined> {
  const { settings, reporter, signal } = context;
  try {
    const lock = takeLock(settings.stateDirectory, 'telling', 'telling people');
    try {
      return await tellOnce(event, own, context, silent);
    } finally {
      lock.release();
    }
  } catch (error) {
    signal.throwIfAborted();
    reporter.log({ level: 'warning', code: 'not_told', message: `nobody was told how the backups stand: ${asFailure(error).message}` });
    return undefined;
  }
}

async function tellOnce(
  event: string,
  own: readonly ToldProblem[],
  context: Context,
  silent: ReadonlyMap<string, string> | undefined,
): Promise<Told | undefined> {
  const { settings } = context;
  const known = readKnownProblems(settings.stateDirectory);
  const found = await lookAround(own, context);
  await measure(found.status, context);
  if (known.told === event) return undefined;
  const report = reportOf(event, found, known, context);
  const message = nightMessage(report);
  const isWanted = isWorthTelling(report) || notifyOf(settings).always;
  const delivered = isWanted ? await deliver(message, context) : undefined;
  context.signal.throwIfAborted();
  remember(knownAfter(report, found, { known, delivered, silent }), context);
  return { subject: message.subject, delivered };
}

function remember(known: KnownProblems, { settings: { stateDirectory }, reporter }: Context): void {
  try {
    writeKnownProblems(stateDirectory, known);
  } catch (error) {
    const message = `it cannot be remembered who was told of what, so the same may be told again: ${asFailure(error).message}`;
    reporter.log({ level: 'warning', code: 'state_unusable', message, affected: [stateDirectory] });
  }
}

/** How the backups stand, and what is wrong beside that. */
async function lookAround(own: readonly ToldProblem[], context: Context): Promise<Found> {
  try {
    const found = await status({}, context);
    const keys = new Set(found.problems.map(problemKey));
    return { status: found, problems: [...own.filter((problem) => !keys.has(problemKey(problem))), ...found.problems] };
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, advice = 'See `apiscp-backup doctor`.' } = asFailure(error);
    return { status: undefined, problems: [{ code: 'unreadable', unit: null, message, advice, since: null }, ...own] };
  }
}

function reportOf(event: string, { status: found, problems }: Found, { since }: KnownProblems, { settings, now }: Context): NightReport {
  const note = readNight(settings.stateDirectory);
  const present = new Set(problems.map(problemKey));
  // Where the state cannot be told nothing is in order again.
  const recovered = found === undefined ? [] : [...since].filter(([key]) => !present.has(key));
  const domains = (found?.units ?? []).flatMap(({ unit, domain }) => (domain === null ? [] : [[unit, domain] as const]));
  return {
    event,
    server: hostname(),
    time: now().toISOString(),
    began: note === undefined || note.tries === 0 ? null : new Date(note.begun).toISOString(),
    steps: note?.steps ?? [],
    problems: problems.map((problem) => ({ ...problem, since: problem.since ?? since.get(problemKey(problem)) ?? null })),
    recovered: recovered.map(([key, time]) => ({ key, since: time })),
    domains: new Map(domains),
  };
}

/** What is remembered. Where nobody could be told it is as if nothing had happened, for some tries. */
function knownAfter(
  report: NightReport,
  found: Found,
  {
    known,
    delivered,
    silent,
  }: {
    readonly known: KnownProblems;
    readonly delivered: Delivered | undefined;
    readonly silent: ReadonlyMap<string, string> | undefined;
  },
): KnownProblems {
  const since = new Map(found.status === undefined ? known.since : []);
  for (const problem of report.problems) since.set(problemKey(problem), problem.since ?? report.time);
  const before = [...known.undelivered];
  const undelivered = new Map([
    ...(delivered?.failed ?? before.filter(([way]) => !isHeartbeat(way))),
    ...(silent ?? before.filter(([way]) => isHeartbeat(way))),
  ]);
  const isInVain = delivered !== undefined && delivered.ways > 0 && delivered.failed.size === delivered.ways;
  if (isInVain && known.tries + 1 < MOST_TRIES)
    return { since: new Map([...known.since, ...since]), told: known.told, tries: known.tries + 1, undelivered };
  return { since, told: report.event, tries: 0, undelivered };
}
