import { doubtsResult } from '../browse/doubts.ts';
import { identitySource } from '../browse/find-unit.ts';
import { openUnit } from '../browse/open-unit.ts';
import type { Context } from '../context/context.ts';
import { partsInWords } from '../databases/left-out.ts';
import { asFailure, Failure } from '../failure.ts';
import { missingUnits, snapshotMissing } from '../repository/history/missing.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { isTimedId } from '../repository/ids.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { RecordedDatabase } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { AllDatabasesResult, DatabasesOfOne, DatabasesRequest, ListedDatabase, UnitDatabasesResult } from '../schemas/databases.ts';
import { doubtsOf, UnitTimeline } from '../timeline/point-in-time.ts';
import { isCurrent } from '../timeline/resolve-unit.ts';

/** Lists the databases that backups have at a point in time, in the order of their paths: of one unit, or of all units of a server. */
export async function databases(request: DatabasesRequest, context: Context): Promise<UnitDatabasesResult | AllDatabasesResult> {
  const { unit } = request;
  if (unit === undefined) return ofAll(request, context);
  const { timeline, head } = await openUnit({ ...request, unit }, context);
  return { ...(await atPoint(timeline, request.at, context)), ...head };
}

async function atPoint(
  timeline: UnitTimeline,
  at: string | undefined,
  context: Context,
): Promise<Omit<UnitDatabasesResult, 'unit' | 'unitId' | 'current'>> {
  const point = await timeline.resolveRecord(at, context.now());
  const { moment, chain } = point;
  return { ...doubtsResult(doubtsOf(point)), moment, databases: (chain.at(-1)?.databases ?? []).map(listed) };
}

/** Each unit by itself: what cannot be read of one keeps nobody from the others. Throws when nothing can be read of any. */
async function ofAll(request: DatabasesRequest, context: Context): Promise<AllDatabasesResult> {
  const { server, earlier, policy, at } = request;
  if (policy === 'owner') throw new Failure('usage', 'an owner’s request has to name the account');
  if (earlier === true) throw new Failure('usage', 'an earlier account is one of a name: name the unit');
  if (at !== undefined && isTimedId(at))
    throw new Failure('usage', `${at} is a snapshot of one unit: name the unit, too`, { affected: [at] });
  const identity = await identitySource(request, context);
  const repository = await openRepository(context.settings, 'read', (notice) => context.reporter.log(notice), { server, identity });
  repository.expectAll();
  const units: DatabasesOfOne[] = [];
  const failures: Failure[] = [];
  for (const unit of await repository.units.all()) {
    context.signal.throwIfAborted();
    const head = { unit: unit.name, unitId: unit.unit, current: isCurrent(unit, repository, context) };
    const found = await ofOne(unit, repository, at, context);
    if ('failure' in found) failures.push(found.failure);
    units.push({ ...head, ...('failure' in found ? unread(found.failure) : found) });
  }
  const [first] = failures;
  if (first !== undefined && failures.length === units.length) throw first;
  const doubts = await doubtsOfAll(repository, context);
  const isWhole = doubts.length === 0 && units.every(({ status }) => status === 'ok');
  return { ...doubtsResult(doubts), status: isWhole ? 'ok' : 'partial', units };
}

type OfOne = Omit<DatabasesOfOne, 'unit' | 'unitId' | 'current'>;

async function ofOne(
  unit: UnitIdentity,
  repository: Repository,
  at: string | undefined,
  context: Context,
): Promise<OfOne | { readonly failure: Failure }> {
  let timeline: UnitTimeline | undefined;
  try {
    timeline = await UnitTimeline.read(unit, repository);
    return { ...(await atPoint(timeline, at, context)), error: null };
  } catch (error) {
    context.signal.throwIfAborted();
    const failure = asFailure(error);
    if (failure.code === 'internal' || failure.code === 'usage') throw error;
    // An account that was made later had none then.
    const isNone = failure.code === 'snapshot_unknown' && (timeline?.gaps.length ?? 0) === 0;
    return isNone ? { ...doubtsResult([]), moment: null, databases: [], error: null } : { failure };
  }
}

function unread({ code, message }: Failure): OfOne {
  return { ...doubtsResult([]), status: 'partial', moment: null, databases: [], error: { code, message } };
}

/** Units of which nothing is left, or of which nothing can be told. */
async function doubtsOfAll(repository: Repository, context: Context): Promise<Failure[]> {
  const runs = await RunIndex.read(repository, context.now().getTime());
  const gone = await missingUnits(repository, runs);
  runs.save();
  return [...gone.map(({ unit, snapshot }) => snapshotMissing(unit, snapshot)), ...repository.units.leftOut.values()];
}

/** Without what a later version of this program may have recorded besides. */
function listed(recorded: RecordedDatabase): ListedDatabase {
  const { engine, name, path, result, server, characterSet, collation, size, sha256, tables, rows } = recorded;
  const { consistency, leftOut = [], at, seconds, secondsBeforeFiles, error } = recorded;
  return {
    ...{ engine, name, path, result, server, characterSet, collation, size, sha256, tables, rows },
    ...{ consistency, at, seconds, secondsBeforeFiles },
    ...(leftOut.length === 0 ? {} : { leftOut: partsInWords(leftOut) }),
    error: error === null ? null : { code: error.code, message: error.message },
  };
}
