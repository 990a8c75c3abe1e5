import { throttledBy } from '../backup/run/throttled-output.ts';
import { copyNamed } from '../config/copies.ts';
import { limitsOf } from '../config/limits.ts';
import type { Context } from '../context/context.ts';
import { keepInState } from '../context/keep-state.ts';
import { Copied } from '../copy/copied.ts';
import { type CopyOrder, copyServer } from '../copy/copy-server.ts';
import { keepCopyState } from '../copy/copy-state.ts';
import { openCopy } from '../copy/open-copy.ts';
import { asFailure, Failure } from '../failure.ts';
import { type Lock, takeLock, waitForLock } from '../locks/locks.ts';
import { toldWaiting } from '../locks/waiting.ts';
import { readHolds, retentionHolds } from '../repository/holds.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import { copyStateFolder, prepareStateDirectory } from '../repository/state-directory.ts';
import type { CopyEnd, CopyRequest, CopyResult } from '../schemas/copy.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { retentionPolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';

/** More of what was wrong is counted. */
const PROBLEMS_TOLD = 20;

/**
 * Brings what this server has in the repository to its copies, one after the other; what fails in one does not stop the others. Throws `usage` when there
 * is no copy of a name, what opening the repository throws, and `cancelled`.
 */
export async function copy(request: CopyRequest, context: Context): Promise<CopyResult> {
  const { settings, reporter } = context;
  const wanted = request.copies ?? [];
  const names = wanted.length > 0 ? wanted.map((name) => copyNamed(name, settings).name) : settings.copies.map(({ name }) => name);
  if (names.length === 0) {
    throw new Failure('usage', 'no copy is set up', { advice: 'Name places in the setting `copies` (docs/guide/destinations.md).' });
  }
  prepareStateDirectory(settings.stateDirectory);
  const source = await openRepository(settings, 'read', (notice) => reporter.log(notice));
  if (!source.isOwn) {
    throw new Failure('server_unknown', 'this machine has no backups of its own in the repository, which it could copy', {
      affected: [source.backend.description],
    });
  }
  const copies: CopyEnd[] = [];
  for (const name of names) copies.push(await copyTo(name, source, context));
  const bad = copies.filter(({ status }) => status !== 'ok');
  const isFailed = copies.every(({ status }) => status === 'failed');
  return { status: isFailed ? 'failed' : bad.length > 0 ? 'partial' : 'ok', copies };
}

async function copyTo(name: string, source: Repository, context: Context): Promise<CopyEnd> {
  const { settings, reporter, now } = context;
  const started = now().toISOString();
  const copied = new Copied();
  let error: Failure | undefined;
  let lock: Lock | undefined;
  try {
    lock = takeLock(settings.stateDirectory, `copy-${name}`, 'a copy');
    const target = await openCopy(name, settings, source);
    await copyServer(source, target, await orderOf(name, source, context), copied);
  } catch (thrown) {
    error = asFailure(thrown);
    if (context.signal.aborted || error.code === 'cancelled') throw error;
  } finally {
    lock?.release();
  }
  const { snapshots, objects, bytes, problems } = copied;
  for (const { code, message, affected } of error === undefined ? problems : [...problems, error])
    reporter.log({ level: 'error', code, message: `copy ${name}: ${message}`, affected });
  const status = error !== undefined ? 'failed' : problems.length > 0 ? 'partial' : 'ok';
  const [first = error] = error === undefined ? problems : [error];
  keepState(name, source, { time: started, status, message: first?.message ?? null }, context);
  return {
    ...{
      name,
      repository: copyNamed(name, settings).repository,
      status,
      started,
      finished: now().toISOString(),
      snapshots,
      objects,
      bytes,
    },
    problems: problems.slice(0, PROBLEMS_TOLD).map(toWireError),
    problemCount: problems.length,
    error: error === undefined ? null : toWireError(error),
  };
}

async function orderOf(name: string, source: Repository, context: Context): Promise<CopyOrder> {
  const { settings, reporter, signal, now } = context;
  const instant = Temporal.Instant.fromEpochMilliseconds(now().getTime());
  const runs = await RunIndex.read(source, instant.epochMilliseconds);
  const { retention } = copyNamed(name, settings);
  const holds = retention === undefined ? [] : await readHolds(source);
  const rules = retention && {
    policy: retentionPolicy({ retention }),
    now: instant,
    timeZone: localTimeZone(source.notify),
    holds: retentionHolds(holds),
    runs,
    confirmed: true,
  };
  const { stateDirectory } = settings;
  return {
    ...{ rules, runs, signal, throttle: throttledBy(limitsOf(settings).sendRate, signal) },
    begin: async (unit, unitNumber, unitCount) => {
      reporter.progress({ phase: 'copy', unit, unitNumber, unitCount, entries: 0, bytes: 0 });
      // What a prune is about to delete must not be looked for meanwhile.
      const reading = await waitForLock(stateDirectory, unit, 'a copy', toldWaiting(context), 'shared');
      return () => reading.release();
    },
  };
}

/** What cannot be kept is not shown by `status`. */
function keepState(name: string, { place }: Repository, ended: Parameters<typeof keepCopyState>[1], { reporter }: Context): void {
  const { stateFolder } = place;
  keepInState(
    stateFolder,
    (notice) => reporter.log(notice),
    () => keepCopyState(copyStateFolder(stateFolder, name), ended),
  );
}
