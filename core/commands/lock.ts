import { copyOf, settingsOfCopy } from '../config/copies.ts';
import { parseLocation } from '../config/location.ts';
import { lockRuleOf } from '../config/object-lock.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { keepInState } from '../context/keep-state.ts';
import { asFailure, Failure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { KnownLocks } from '../prune/known-locks.ts';
import { neededObjects } from '../prune/needed-objects.ts';
import { renewLocks } from '../prune/renew-locks.ts';
import type { RetentionRules } from '../prune/unit-retention.ts';
import { readHolds, retentionHolds } from '../repository/holds.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { LockRequest, LockResult } from '../schemas/lock.ts';
import type { NightlyStep } from '../schemas/nightly.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { retentionPolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';

/**
 * Has the store lock everything for longer that retention keeps and whose lock is about to end. Throws `usage` where nothing is to be locked,
 * `repository_refused` where the store does not do it, `locked` while another process does the same, and `cancelled`: the next one goes on.
 */
export async function lock(_request: LockRequest, context: Context): Promise<LockResult> {
  const { settings, reporter, now, signal } = context;
  prepareStateDirectory(settings.stateDirectory);
  const repository = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  const { locks } = repository.backend;
  if (locks === undefined) {
    throw new Failure('usage', `${settings.repository} is a place where nothing is locked`, {
      affected: [settings.repository],
      advice: 'Locks are for stores that speak S3: say objectLock in the setting s3 (docs/guide/destinations.md).',
    });
  }
  if (!repository.isOwn) {
    throw new Failure('server_unknown', 'this machine has no backups of its own in the repository', { affected: [settings.repository] });
  }
  const held = takeLock(settings.stateDirectory, `object-locks-${copyOf(settings) ?? 'repository'}`, 'a renewal of locks');
  try {
    await locks.check();
    const needed = await neededObjects(repository, await rulesOf(repository, context));
    const known = new KnownLocks(repository.stateFolder);
    const save = () =>
      keepInState(
        settings.stateDirectory,
        (notice) => reporter.log(notice),
        () => known.save(needed.map(({ name }) => name)),
      );
    const { objects, asked, extended, soonest, problems } = await renewLocks(needed, locks, { known, now: now().getTime(), signal, save });
    for (const { code, message, affected } of problems) reporter.log({ level: 'error', code, message, affected });
    return {
      status: problems.length === 0 ? 'ok' : 'partial',
      ...{ repository: settings.repository, mode: locks.rule.mode, objects, asked, extended },
      soonest: Number.isFinite(soonest) ? new Date(soonest).toISOString() : null,
      problems: problems.map(toWireError),
    };
  } finally {
    held.release();
  }
}

async function rulesOf(repository: Repository, { settings, now }: Context): Promise<RetentionRules> {
  const instant = Temporal.Instant.fromEpochMilliseconds(now().getTime());
  return {
    policy: retentionPolicy(settings),
    now: instant,
    timeZone: localTimeZone(repository.notify),
    holds: retentionHolds(await readHolds(repository)),
    runs: await RunIndex.read(repository, instant.epochMilliseconds),
    confirmed: false,
  };
}

/** The settings of each place whose objects are to be locked, and how it is called. */
export function lockedPlaces(settings: Settings): { readonly name: string; readonly settings: Settings }[] {
  const copies = settings.copies.map(({ name }) => ({ name, settings: settingsOfCopy(name, settings) }));
  return [{ name: 'repository', settings }, ...copies].filter(
    ({ settings: { repository, s3 } }) => parseLocation(repository).kind === 's3' && lockRuleOf(s3) !== undefined,
  );
}

/** Renews the locks of each place, one after the other; what fails in one does not stop the others, and is a failure of all. */
export async function lockAll(context: Context): Promise<Pick<NightlyStep, 'status' | 'message'>> {
  const ends: { readonly status: 'ok' | 'failed'; readonly message: string }[] = [];
  for (const { name, settings } of lockedPlaces(context.settings)) {
    try {
      const { objects, extended, soonest, problems } = await lock({}, { ...context, settings });
      const outcome = `${name}: ${extended} of ${objects} locks extended, the first ends ${soonest ?? 'never'}`;
      const [first] = problems;
      ends.push(first === undefined ? { status: 'ok', message: outcome } : { status: 'failed', message: `${outcome}; ${first.message}` });
    } catch (error) {
      const { code, message, affected } = asFailure(error);
      if (code === 'cancelled') throw error;
      context.reporter.log({ level: 'error', code, message: `locks of ${name}: ${message}`, affected });
      ends.push({ status: 'failed', message: `${name}: ${message}` });
    }
  }
  const status = ends.every((end) => end.status === 'ok') ? 'ok' : 'failed';
  return { status, message: ends.map(({ message }) => message).join('; ') };
}
