import { AllSnapshots } from '../browse/all-snapshots.ts';
import { changesBetween } from '../browse/changes.ts';
import { decodeCursor, encodeCursor } from '../browse/cursor.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { openUnit } from '../browse/open-unit.ts';
import { Page } from '../browse/page.ts';
import { type Stretch, stretchResult, UnitVersions } from '../browse/unit-versions.ts';
import { requestedPath, wireEntry } from '../browse/wire-entry.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import { Failure } from '../failure.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { type PathState, pathStateOf } from '../manifest/merge/path-states.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { Repository } from '../repository/repository.ts';
import type { OwnerSight } from '../restore/owner/owner-sight.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { HistoryEvent, HistoryRequest, HistoryResult } from '../schemas/history.ts';
import { OpenLayers } from '../timeline/open-layers.ts';

/**
 * Tells when one path appeared, changed and was deleted, newest first. Reads one block of each snapshot's manifest. Throws
 * `path_unknown` when no snapshot has it.
 */
export async function history(request: HistoryRequest, context: Context): Promise<HistoryResult> {
  const [newest, told] = request.after === undefined ? [] : decodeCursor(request.after, 2);
  const path = requestedPath(request.path);
  if (path === '') throw new Failure('usage', 'a path is required, such as shadow/var/www/html/index.php');
  const { repository, timeline, sight, head } = await openUnit(request, context);
  const versions = UnitVersions.of(timeline.snapshots, newest, context);
  const states = await readPathStates(versions, path, repository, sight, context);
  const events = eventsOf(
    versions.stretches((snapshot) => states[snapshot] as PathState),
    versions,
  );
  if (events.length === 0) throw await unknownIn(versions, path, repository, sight, head.unit);
  const page = new Page<HistoryEvent>(request.limit);
  const begin = Number(told ?? 0);
  for (const event of events.slice(begin)) {
    if (page.isFull) break;
    page.add(event);
  }
  const end = begin + page.rows.length;
  const next = end < events.length ? encodeCursor([versions.snapshots.at(-1)?.id as string, String(end)]) : null;
  const doubts = doubtsResult([...timeline.gaps, ...versions.broken]);
  return { ...doubts, ...head, ...toWirePath(path), snapshots: versions.snapshots.length, events: page.rows, next };
}

async function readPathStates(
  { snapshots }: UnitVersions,
  path: ByteString,
  repository: Repository,
  sight: OwnerSight | undefined,
  context: Context,
): Promise<PathState[]> {
  const yielder = new Yielder(context);
  const states: PathState[] = [];
  for (const { record } of snapshots) {
    const layers = await OpenLayers.open([record], repository);
    try {
      for (const reader of layers.readers) states.push(pathStateOf(reader, path));
    } finally {
      layers.close();
    }
    if (yielder.isDue()) await yielder.take();
  }
  if (sight === undefined) return states;
  return inAll(snapshots, repository, sight, (all) => states.map((pathState) => all.shown(path, pathState)));
}

async function inAll<T>(
  snapshots: UnitVersions['snapshots'],
  repository: Repository,
  sight: OwnerSight | undefined,
  action: (all: AllSnapshots) => T,
): Promise<T> {
  const records = snapshots.map(({ record }) => record);
  const layers = await OpenLayers.open(records, repository);
  try {
    return action(new AllSnapshots(layers, sight));
  } finally {
    layers.close();
  }
}

function unknownIn(
  { snapshots }: UnitVersions,
  path: ByteString,
  repository: Repository,
  sight: OwnerSight | undefined,
  unit: string,
): Promise<Failure> {
  return inAll(snapshots, repository, sight, (all) => unknownPath(`no snapshot of ${unit} has`, [path], (candidate) => all.has(candidate)));
}

/** `stretches` come newest first. */
function eventsOf(stretches: readonly Stretch[], { snapshots }: UnitVersions): HistoryEvent[] {
  return stretches.map((stretch, index) => {
    const older = stretches.slice(index + 1);
    const last = older.find(({ entry }) => entry !== undefined)?.entry;
    const { entry } = stretch;
    const changes = entry === undefined || last === undefined ? [] : changesBetween(last, entry);
    const event = eventOf(stretch, older[0], stretch.first === snapshots[0]);
    return { event, ...stretchResult(stretch), changes, entry: entry === undefined ? null : wireEntry(entry) };
  });
}

function eventOf({ entry }: { entry: Entry | undefined }, older: Stretch | undefined, isOldest: boolean): HistoryEvent['event'] {
  if (entry === undefined) return 'deleted';
  if (older === undefined) return isOldest ? 'first' : 'appeared';
  return older.entry === undefined ? 'reappeared' : 'changed';
}
