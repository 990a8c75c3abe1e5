import { millisecondsBefore, parseDuration } from '../chain/duration.ts';
import { parsePointInTime } from '../chain/point-in-time.ts';
import type { Context } from '../context/context.ts';
import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import { type Lock, takeLock } from '../locks/locks.ts';
import { addHold, readHolds } from '../repository/holds.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { unitNameOf } from '../repository/ids.ts';
import { snapshotPath } from '../repository/layout.ts';
import { openRepository } from '../repository/open-repository.ts';
import { FORMAT_VERSION } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { HoldRequest, HoldResult, ReleaseRequest, ReleaseResult } from '../schemas/hold.ts';
import { UnitTimeline } from '../timeline/point-in-time.ts';
import { resolveUnit } from '../timeline/resolve-unit.ts';
import { localTimeZone } from '../timeline/time-zone.ts';

/** Held by whoever changes holds, and by prune while it acts on them. */
export function takeRetentionLock(stateDirectory: string, what: string): Lock {
  return takeLock(stateDirectory, 'retention', what);
}

/** Keeps a snapshot, and so what it needs, whatever the rules of retention say. Throws `snapshot_unknown`, `usage`, `locked`. */
export async function hold(request: HoldRequest, context: Context): Promise<HoldResult> {
  const expires = request.until === undefined ? null : expiryOf(request.until, context.now(), (notice) => context.reporter.log(notice));
  return change(context, 'a hold', async (repository) => {
    const { reason } = request;
    const { unit, snapshot } = await snapshotOf(request, repository, context);
    const { identity, server } = repository;
    const created = context.now().toISOString();
    await addHold(repository, { formatVersion: FORMAT_VERSION, repository: identity.id, server, unit, snapshot, reason, expires, created });
    return { unit: unitNameOf(unit), unitId: unit, snapshot, reason, until: expires } as HoldResult;
  });
}

/** Ends all holds of a snapshot; from then on the rules of retention decide. Throws `snapshot_unknown` when it has none. */
export async function release(request: ReleaseRequest, context: Context): Promise<ReleaseResult> {
  return change(context, 'a release', async (repository) => {
    const snapshot = isSnapshotId(request.snapshot) ? request.snapshot : (await snapshotOf(request, repository, context)).snapshot;
    const holds = (await readHolds(repository)).filter((candidate) => candidate.snapshot === snapshot);
    if (holds.length === 0) throw new Failure('snapshot_unknown', `nothing holds a snapshot ${snapshot}`, { affected: [snapshot] });
    for (const { path } of holds) await repository.removeObject(path);
    return { snapshot, released: holds.length };
  });
}

async function change<T>(context: Context, what: string, action: (repository: Repository) => Promise<T>): Promise<T> {
  const { settings, reporter } = context;
  const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  const lock = takeRetentionLock(settings.stateDirectory, what);
  try {
    return await action(repository);
  } finally {
    lock.release();
  }
}

/** When a hold ends: a length of time from now, or a point in time. */
function expiryOf(until: string, now: Date, notify: Notify): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const zone = localTimeZone(notify);
  const end = lengthFrom(until, instant, zone) ?? pointInTime(until, instant, zone);
  if (end > now.getTime()) return new Date(end).toISOString();
  throw new Failure('usage', `“${until}” is not in the future`, {
    affected: [until],
    advice: 'Give a day to come, or a length: 6 months.',
  });
}

function lengthFrom(text: string, now: Temporal.Instant, zone: string): number | undefined {
  let length: Temporal.Duration;
  try {
    length = parseDuration(text);
  } catch (error) {
    if (asFailure(error).code !== 'usage') throw error;
    return undefined;
  }
  return millisecondsBefore(now, length.negated(), zone);
}

function pointInTime(text: string, now: Temporal.Instant, zone: string): number {
  const moment = parsePointInTime(text, now, zone);
  if (moment.kind === 'time') return moment.instant.epochMilliseconds;
  throw new Failure('usage', `“${text}” is not the end of a hold`, { affected: [text], advice: 'Give a day, or a length: 6 months.' });
}

const SNAPSHOT_ID = /^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}$/;

function isSnapshotId(text: string): boolean {
  return SNAPSHOT_ID.test(text);
}

/** The snapshot that a request means, by its id or as a point in time of a unit, and the id of its unit. */
async function snapshotOf(
  { snapshot, unit: name }: { readonly snapshot: string; readonly unit?: string },
  repository: Repository,
  context: Context,
): Promise<{ readonly unit: string; readonly snapshot: string }> {
  if (isSnapshotId(snapshot) && name === undefined) return { unit: await unitOf(snapshot, repository), snapshot };
  const unit = name === undefined ? await onlyUnit(snapshot, repository) : await resolveUnit(name, repository, context);
  const timeline = await UnitTimeline.read(unit, repository);
  return { unit: unit.unit, snapshot: timeline.snapshotAt(snapshot, context.now()) };
}

/** The unit that is meant where none is named: there is only one. */
async function onlyUnit(snapshot: string, repository: Repository): Promise<UnitIdentity> {
  const [unit, ...others] = await repository.units.all();
  if (unit !== undefined && others.length === 0) return unit;
  throw new Failure('usage', `“${snapshot}” does not say which unit is meant`, {
    affected: [snapshot],
    advice: 'Name the unit as well, such as --unit site12, or give the id of a snapshot.',
  });
}

async function unitOf(snapshot: string, repository: Repository): Promise<string> {
  for (const unit of await repository.units.ids()) {
    if ((await repository.objectSize(snapshotPath(unit, snapshot))) !== undefined) return unit;
  }
  throw new Failure('snapshot_unknown', `there is no snapshot ${snapshot}`, { affected: [snapshot], advice: 'See `apiscp-backup list`.' });
}
