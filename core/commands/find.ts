import { AllSnapshots } from '../browse/all-snapshots.ts';
import { decodeCursor, encodeCursor } from '../browse/cursor.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { openUnit } from '../browse/open-unit.ts';
import { openVersions, tellLeftOut } from '../browse/open-versions.ts';
import { Page } from '../browse/page.ts';
import { stretchResult, type UnitVersions } from '../browse/unit-versions.ts';
import { requestedPath, wireEntry } from '../browse/wire-entry.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import { ExcludePatterns } from '../exclude/exclude-patterns.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { UnionWalk } from '../manifest/merge/union-walk.ts';
import { comparePaths, isWithin } from '../manifest/path-order.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { FindRequest, FindResult, FoundPath } from '../schemas/find.ts';

/** Looks for names or paths over all snapshots of a unit. Each manifest is read once, and from where a page begins. */
export async function find(request: FindRequest, context: Context): Promise<FindResult> {
  const [newest, behind] = request.after === undefined ? [] : decodeCursor(request.after, 2);
  const fits = matcherOf(request.pattern);
  const folder = requestedPath(request.folder);
  const { repository, timeline, sight, head } = await openUnit(request, context);
  // Looks for no point in time, by which others see that the newest run is gone. Told on the first page.
  if (request.after === undefined) await repository.runs.missing();
  const lost = new Map<string, Failure>();
  const opened = await openVersions(timeline, newest, repository, ({ failure }) => void lost.set(failure.message, failure));
  const { versions, readers } = opened;
  try {
    const all = new AllSnapshots(readers, sight);
    if (folder !== '' && !all.has(folder)) throw unknownPath(`no snapshot of ${head.unit} has`, [folder], (path) => all.has(path));
    const page = new Page<FoundPath>(request.limit);
    const yielder = new Yielder(context);
    const result = (next: string | null): FindResult => {
      for (const failure of [...versions.broken, ...lost.values()]) tellLeftOut(failure, repository);
      const doubts = doubtsResult([...timeline.gaps, ...versions.broken, ...lost.values()]);
      return { ...doubts, ...head, snapshots: readers.length, found: page.rows, next };
    };
    const walk = new UnionWalk(readers, behind !== undefined && comparePaths(behind, folder) > 0 ? behind : folder);
    let last = '';
    for (let path = walk.next(); path !== undefined && isWithin(path, folder); path = walk.next()) {
      if (yielder.isDue()) await yielder.take();
      if (path === behind || path === folder || !fits(path, walk)) continue;
      const found = foundPath(path, versions, walk, all);
      if (found === undefined) continue;
      if (page.isFull) return result(encodeCursor([versions.snapshots.at(-1)?.id as string, last]));
      page.add(found);
      last = path;
    }
    return result(null);
  } finally {
    opened.close();
  }
}

/** Patterns mean what they mean where backups leave something out, except that `!` is a character like others. */
function matcherOf(pattern: string): (path: ByteString, walk: UnionWalk) => boolean {
  const bytes = Buffer.from(pattern, 'utf8').toString('latin1');
  const patterns = readPattern(bytes.startsWith('!') ? `\\${bytes}` : bytes);
  let directory: ByteString | undefined;
  let fits: ReturnType<ExcludePatterns['inDirectory']>;
  return (path, walk) => {
    const parent = path.slice(0, Math.max(0, path.length - walk.name.length - 1));
    if (parent !== directory) {
      directory = parent;
      fits = patterns.inDirectory(parent);
    }
    return fits?.(walk.name, walk.isDirectory) === true;
  };
}

function readPattern(pattern: ByteString): ExcludePatterns {
  try {
    return new ExcludePatterns([pattern]);
  } catch (error) {
    const { message, affected } = asFailure(error);
    throw new Failure('usage', message, { affected, advice: 'Put a backslash before a special character that is meant literally.' });
  }
}

function foundPath(path: ByteString, versions: UnitVersions, walk: UnionWalk, all: AllSnapshots): FoundPath | undefined {
  const stretches = versions.stretches((snapshot) => walk.pathState(snapshot));
  const found = stretches.flatMap((stretch) =>
    stretch.entry === undefined || !all.shows(path, stretch.entry) ? [] : [{ ...stretchResult(stretch), ...wireEntry(stretch.entry) }],
  );
  if (found.length === 0) return undefined;
  return { ...toWirePath(path), deleted: stretches[0]?.entry === undefined, versions: found };
}
