import { millisecondsBefore, parseDuration } from '../chain/duration.ts';
import { isTriedAgain, lastDue, nextDue, whatIsDue } from '../chain/night.ts';
import { defaultSettings } from '../config/defaults.ts';
import { limitsOf } from '../config/limits.ts';
import { absentPruneKey } from '../config/prune-key.ts';
import { loadUsableSettings, type Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { asFailure, Failure, type FailureCode } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { heartbeat } from '../notify/deliver.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { NightlyRequest, NightlyResult, NightlyStep } from '../schemas/nightly.ts';
import type { RunRequest, RunResult } from '../schemas/run.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { type NightNote, readNight, writeNight } from '../timeline/last-night.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { copy } from './copy.ts';
import { lockAll, lockedPlaces } from './lock.ts';
import { checking } from './operation.ts';
import { prune } from './prune.ts';
import { pruneCopies } from './prune-copies.ts';
import { settleDeletions } from './settle-deletions.ts';
import { tellOf } from './telling.ts';
import { verify } from './verify.ts';

/** What backs the server up; the front ends give one that outlives the death of a process. */
export type BackUp = (request: RunRequest, context: Context) => Promise<RunResult>;

type StepName = NightlyStep['step'];

/** With these, no other step would find what it needs, and would say the same once more. */
const HOPELESS: ReadonlySet<FailureCode> = new Set([
  'invalid_settings',
  'repository_missing',
  'repository_foreign',
  'repository_newer',
  'server_contested',
  'server_unknown',
  'locked',
]);

/** In milliseconds: so long a night that was stopped tries to let services know. */
const LAST_WORD = 10_000;

const MOST_NAMES = 10;
const SWITCHED_OFF = 'switched off (schedule.prune)';
const DAY = 86_400_000;

/**
 * The automatic backup: what the timer starts every quarter of an hour. Does nothing when nothing is due, or another one is at work. What
 * fails in one step is told, and stops the next only where that needs the same: a run that found the disk full is followed by the prune that
 * makes room. A night whose run failed is tried again, twice at most. Throws `cancelled` when it was stopped.
 */
export function nightlyWith(backUp: BackUp): (request: NightlyRequest, context: Context) => Promise<NightlyResult> {
  return async (request, context) => {
    if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can read every account', { advice: 'Run this as root.' });
    const unusable = problemOfSettings(context);
    if (unusable !== undefined) return await refuseByNight(unusable, request, context);
    const { enabled, stateDirectory } = context.settings;
    if (!enabled && request.now !== true) return nothing('automatic backups are off (the setting enabled)', context);
    prepareStateDirectory(stateDirectory);
    let lock: { release(): void };
    try {
      lock = takeLock(stateDirectory, 'nightly', 'the automatic backup');
    } catch (error) {
      if (asFailure(error).code !== 'locked' || request.now === true) throw error;
      return nothing(asFailure(error).message, context);
    }
    try {
      return await underLock(request, context, backUp);
    } finally {
      lock.release();
    }
  };
}

/**
 * Does what has to be done before a night, when one is due: no other night begins meanwhile. Undefined when none is due, or another one is
 * at work.
 */
export async function beforeNight<T>(request: NightlyRequest, context: Context, work: () => Promise<T>): Promise<T | undefined> {
  const { enabled, stateDirectory } = context.settings;
  if (!enabled && request.now !== true) return undefined;
  prepareStateDirectory(stateDirectory);
  let lock: { release(): void };
  try {
    lock = takeLock(stateDirectory, 'nightly', 'the automatic backup');
  } catch (error) {
    if (asFailure(error).code !== 'locked') throw error;
    return undefined;
  }
  try {
    const last = readNight(stateDirectory);
    const due = lastDue(scheduled(context).time, instantOf(context), zoneOf(context));
    const isDue = request.now === true || (last !== undefined && whatIsDue(last, due, context.now().getTime()) !== 'wait');
    return isDue ? await work() : undefined;
  } finally {
    lock.release();
  }
}

function problemOfSettings(context: Context): unknown {
  try {
    void context.settings;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What is wrong in the settings is told as often as a night is tried, and not each quarter of an hour, which cron would mail. Throws it then. */
async function refuseByNight(error: unknown, request: NightlyRequest, context: Context): Promise<NightlyResult> {
  const { message } = asFailure(error);
  const settings = placesIn(context.settingsFile);
  const readable: Context = {
    settings,
    settingsFile: context.settingsFile,
    reporter: context.reporter,
    now: context.now,
    signal: context.signal,
  };
  prepareStateDirectory(settings.stateDirectory);
  const now = context.now().getTime();
  const last = readNight(settings.stateDirectory);
  const due = lastDue(scheduled(readable).time, instantOf(readable), zoneOf(readable));
  const what = last === undefined ? 'begin' : whatIsDue(last, due, now);
  if (what === 'wait' && request.now !== true) return { status: 'ok', due: false, reason: message, nextDue: null, steps: [] };
  const isAgain = what === 'again' && last !== undefined;
  const steps = [{ step: 'run', status: 'failed', message }] as const;
  const night: NightNote = { begun: isAgain ? last.begun : now, tried: now, tries: isAgain ? last.tries + 1 : 1, done: false, steps };
  keep(night, readable);
  await tellEnd(night, 'failed', readable);
  throw error;
}

/** The settings as far as they can be used: where the state is, and when a night is due. */
function placesIn(settingsFile: string | undefined): Settings {
  try {
    return loadUsableSettings(settingsFile).settings;
  } catch {
    return defaultSettings();
  }
}

async function underLock(request: NightlyRequest, context: Context, backUp: BackUp): Promise<NightlyResult> {
  const now = context.now().getTime();
  const due = lastDue(scheduled(context).time, instantOf(context), zoneOf(context));
  const last = readNight(context.settings.stateDirectory);
  if (last === undefined && request.now !== true) {
    // Nobody wants the first full of a server at noon, because the program was installed then.
    keep({ begun: now, tried: now, tries: 0, done: true, steps: [] }, context);
    return nothing('the first one comes when it is due next', context);
  }
  const what = last === undefined ? 'begin' : whatIsDue(last, due, now);
  if (what === 'wait' && request.now !== true) return nothing(whyNot(last as NightNote), context);
  const isAgain = what === 'again' && last !== undefined;
  const night: NightNote = { begun: isAgain ? last.begun : now, tried: now, tries: isAgain ? last.tries + 1 : 1, done: false, steps: [] };
  keep(night, context);
  await settleDeletions(context);
  const isAnnounced = heartbeat('start', context);
  const onStep: OnStep = (soFar) => keep({ ...night, steps: soFar }, context);
  const steps = await allSteps(context, backUp, onStep).catch(async (stopped: unknown) => {
    await isAnnounced;
    // The signal that stopped the night would keep anybody from hearing of it.
    const { settings, reporter, now } = context;
    await heartbeat('failure', { settings, reporter, now, signal: AbortSignal.timeout(LAST_WORD) });
    throw stopped;
  });
  const done = steps.every(({ step, status }) => step !== 'run' || status !== 'failed');
  const ended: NightNote = { ...night, done, steps: steps.map(withoutError) };
  keep(ended, context);
  await isAnnounced;
  // Also what the panel deleted while the night was under way.
  await settleDeletions(context);
  await tellEnd(ended, worstOf(steps), context);
  const reason =
    request.now === true ? 'it was asked for' : `it was due at ${new Date(due).toISOString()}${isAgain ? ', and failed before' : ''}`;
  return { status: worstOf(steps), due: true, reason, nextDue: nextTime(context), steps };
}

/** Tells whoever waits for it how a night ended: services after each try, people when it is not tried again. */
async function tellEnd(night: NightNote, status: NightlyResult['status'], context: Context): Promise<void> {
  const { failed } = await heartbeat(status === 'ok' ? 'success' : 'failure', context);
  if (!isTriedAgain(night)) await tellOf(`night ${night.begun}`, [], context, failed);
}

const withoutError = ({ step, status, message }: NightlyStep) => ({ step, status, message });

function whyNot({ done, tries }: NightNote): string {
  if (done) return 'the last one was made';
  return tries >= 3 ? 'the last one failed, and was tried often enough' : 'the last one failed, and is tried again an hour after that';
}

function scheduled({ settings }: Context) {
  return schedulePolicy(settings);
}

const instantOf = (context: Context): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(context.now().getTime());

const zoneOf = ({ reporter }: Context): string => localTimeZone((notice) => reporter.log(notice));

function nextTime(context: Context): string | null {
  if (!context.settings.enabled) return null;
  return new Date(nextDue(scheduled(context).time, instantOf(context), zoneOf(context))).toISOString();
}

function nothing(reason: string, context: Context): NightlyResult {
  return { status: 'ok', due: false, reason, nextDue: nextTime(context), steps: [] };
}

/** A backup that cannot be remembered is better than none. */
function keep(note: NightNote, { settings, reporter }: Context): void {
  try {
    writeNight(settings.stateDirectory, note);
  } catch (error) {
    const message = `it cannot be remembered that this backup was made, so another one may follow soon: ${asFailure(error).message}`;
    reporter.log({ level: 'warning', code: 'state_unusable', message, affected: [settings.stateDirectory] });
  }
}

type OnStep = (steps: readonly ReturnType<typeof withoutError>[]) => void;

async function allSteps(context: Context, backUp: BackUp, onStep: OnStep) {
  const steps: NightlyStep[] = [];
  let hopeless: string | undefined;
  const perform = async (step: StepName, action: () => Promise<Omit<NightlyStep, 'step' | 'error'>>) => {
    if (hopeless !== undefined) {
      steps.push({ step, status: 'skipped', message: `not begun, for it needs the same: ${hopeless}`, error: null });
      return;
    }
    try {
      steps.push({ step, error: null, ...(await action()) });
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'cancelled') throw error;
      context.reporter.log({ level: 'error', code: failure.code, message: `${step}: ${failure.message}`, affected: failure.affected });
      if (HOPELESS.has(failure.code)) hopeless = failure.message;
      steps.push({ step, status: 'failed', message: failure.message, error: toWireError(error) });
    }
    onStep(steps.map(withoutError));
  };
  await perform('run', () => runStep(context, backUp));
  if (context.settings.copies.length > 0) await perform('copy', () => copyStep(context));
  await perform('prune', () => pruneStep(context));
  const ofRepository = steps.at(-1)?.status ?? 'skipped';
  if (context.settings.copies.length > 0) await perform('prune-copies', () => pruneCopiesStep(ofRepository, context));
  if (lockedPlaces(context.settings).length > 0) await perform('lock', () => lockAll(context));
  await perform('verify', () => verifyStep(context));
  return steps;
}

async function runStep(context: Context, backUp: BackUp): Promise<Omit<NightlyStep, 'step' | 'error'>> {
  const { status, units } = await backUp({}, context);
  const bad = units.filter(({ status }) => status === 'failed' || status === 'partial');
  const outcome = `${units.length} units, ${units.length - bad.length} of them complete`;
  return {
    status,
    message: bad.length === 0 ? outcome : `${outcome}; not so: ${named(bad.map(({ unit, status }) => `${unit} (${status})`))}`,
  };
}

/** One that fails is told by its name, and keeps nothing else from being done. */
async function copyStep(context: Context): Promise<Omit<NightlyStep, 'step' | 'error'>> {
  const { status, copies } = await copy({}, context);
  const objects = copies.reduce((sum, end) => sum + end.objects, 0);
  const bad = copies.flatMap(({ name, error, problems }) =>
    [...problems, ...(error === null ? [] : [error])].slice(0, 1).map(({ message }) => `${name}: ${message}`),
  );
  const outcome = `${copies.length} copies, ${objects} objects`;
  return { status, message: bad.length === 0 ? outcome : `${outcome}; ${bad.join('; ')}` };
}

async function pruneStep(context: Context): Promise<Omit<NightlyStep, 'step' | 'error'>> {
  if (!scheduled(context).prune) return { status: 'skipped', message: SWITCHED_OFF };
  const absent = absentPruneKey(context.settings);
  if (absent !== undefined) return { status: 'skipped', message: `the key for it, ${absent}, is not on this server now` };
  const { status, units, bytes } = await prune({ wait: limitsOf(context.settings).wait }, context);
  const deleted = units.reduce((sum, unit) => sum + unit.deleted, 0);
  const left = units.filter((unit) => unit.status !== 'ok');
  const outcome = `${deleted} snapshots deleted, ${bytes} bytes freed`;
  return {
    status,
    message: left.length === 0 ? outcome : `${outcome}; nothing of ${named(left.map((unit) => `${unit.unit} (${unit.status})`))}`,
  };
}

async function pruneCopiesStep(ofRepository: NightlyStep['status'], context: Context): Promise<Omit<NightlyStep, 'step' | 'error'>> {
  if (!scheduled(context).prune) return { status: 'skipped', message: SWITCHED_OFF };
  return await pruneCopies(prune, ofRepository, context);
}

/** Looks at everything, and reads another part of the contents each time, so that all of them were read within the time that is set. */
async function verifyStep(context: Context): Promise<Omit<NightlyStep, 'step' | 'error'>> {
  const { verifyWithin } = scheduled(context);
  if (verifyWithin === false) return { status: 'skipped', message: 'switched off (schedule.verifyWithin)' };
  const now = instantOf(context);
  const days = (now.epochMilliseconds - millisecondsBefore(now, parseDuration(verifyWithin), zoneOf(context))) / DAY;
  const { status, units, damages } = await checking(verify)({ sample: Math.ceil(100 / Math.max(1, Math.floor(days))) }, context);
  const outcome = `${units.length} units looked at`;
  if (status !== 'damaged') return { status, message: outcome };
  return { status, message: `${outcome}; damaged: ${named(damages.map(({ object }) => object))}` };
}

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** From the least to the worst; `skipped` is none of them. */
const BAD = ['ok', 'partial', 'failed', 'damaged'] as const;

function worstOf(steps: readonly NightlyStep[]): NightlyResult['status'] {
  const worst = Math.max(0, ...steps.map(({ status }) => (BAD as readonly string[]).indexOf(status)));
  return BAD[worst] as NightlyResult['status'];
}
