import { AllSnapshots } from '../browse/all-snapshots.ts';
import { changesBetween } from '../browse/changes.ts';
import { decodeCursor, encodeCursor } from '../browse/cursor.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { openUnit } from '../browse/open-unit.ts';
import { openVersions, tellLeftOut, withoutUnread } from '../browse/open-versions.ts';
import { Page } from '../browse/page.ts';
import { type Stretch, stretchResult, UnitVersions } from '../browse/unit-versions.ts';
import { requestedPath, wireEntry } from '../browse/wire-entry.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import { Failure } from '../failure.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { type PathState, pathStateOf } from '../manifest/merge/path-states.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { Repository } from '../repository/repository.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { HistoryEvent, HistoryRequest, HistoryResult } from '../schemas/history.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import type { UnitTimeline } from '../timeline/point-in-time.ts';

/**
 * Tells when one path appeared, changed and was deleted, newest first. Reads one block of each snapshot's manifest. Throws
 * `path_unknown` when no snapshot has it.
 */
export async function history(request: HistoryRequest, context: Context): Promise<HistoryResult> {
  const [newest, told] = request.after === undefined ? [] : decodeCursor(request.after, 2);
  const path = requestedPath(request.path);
  if (path === '') throw new Failure('usage', 'a path is required, such as shadow/var/www/html/index.php');
  const { repository, timeline, sight, head } = await openUnit(request, context);
  // Looks for no point in time, by which others see that the newest run is gone. Told on the first page.
  if (request.after === undefined) await repository.runs.missing();
  const possible = UnitVersions.of(timeline.snapshots, newest);
  const { states, unread } = await readPathStates(possible, path, repository, context);
  const versions = await withoutUnread(possible, timeline, unread, repository);
  for (const failure of versions.broken) tellLeftOut(failure, repository);
  const inAll = <T>(action: (all: AllSnapshots) => T): Promise<T> =>
    withAll(timeline, versions.snapshots.at(-1)?.id, repository, (readers) => action(new AllSnapshots(readers, sight)));
  const shown = sight === undefined ? states : await inAll((all) => shownStates(states, path, all));
  const events = eventsOf(
    versions.stretches((snapshot) => shown.get(versions.snapshots[snapshot]?.id as string) as PathState),
    versions,
  );
  if (events.length === 0) {
    throw await inAll((all) => unknownPath(`no snapshot of ${head.unit} has`, [path], (candidate) => all.has(candidate)));
  }
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

/** What each manifest says of a path, by snapshot; and why others say nothing. */
interface FoundStates {
  readonly states: ReadonlyMap<string, PathState>;
  readonly unread: ReadonlyMap<string, Failure>;
}

/** One manifest is open at a time: a unit may have hundreds. */
async function readPathStates(
  { snapshots }: UnitVersions,
  path: ByteString,
  repository: Repository,
  context: Context,
): Promise<FoundStates> {
  const yielder = new Yielder(context);
  const states = new Map<string, PathState>();
  const unread = new Map<string, Failure>();
  for (const { id, record } of snapshots) {
    const { byId, left, close } = await OpenLayers.openUsable([record], repository, ({ from, isOne, failure }) => {
      if (!isOne || from === path) unread.set(id, failure);
    });
    try {
      for (const [, failure] of left) unread.set(id, failure);
      for (const reader of byId.values()) states.set(id, pathStateOf(reader, path));
    } finally {
      close();
    }
    if (yielder.isDue()) await yielder.take();
  }
  return { states, unread };
}

function shownStates(states: ReadonlyMap<string, PathState>, path: ByteString, all: AllSnapshots): ReadonlyMap<string, PathState> {
  return new Map([...states].map(([id, pathState]) => [id, all.shown(path, pathState)]));
}

async function withAll<T>(
  timeline: UnitTimeline,
  newest: string | undefined,
  repository: Repository,
  action: (readers: readonly ManifestReader[]) => T,
): Promise<T> {
  const opened = await openVersions(timeline, newest, repository, () => {});
  try {
    return action(opened.readers);
  } finally {
    opened.close();
  }
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
