import { unitDevices } from '../backup/previous/unit-devices.ts';
import { WarningList } from '../backup/rows/warning-list.ts';
import { decodeCursor, encodeCursor } from '../browse/cursor.ts';
import { diffTrees, type Side } from '../browse/diff-trees.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { liveAccess } from '../browse/live-access.ts';
import { compareWithLive, type LiveEntry, type LiveOutput } from '../browse/live-changes.ts';
import { type OpenUnit, openUnit } from '../browse/open-unit.ts';
import { Page } from '../browse/page.ts';
import { entryAt, hasPath } from '../browse/tree-scope.ts';
import { VisiblePaths } from '../browse/visible-paths.ts';
import { requestedPath, wireEntry } from '../browse/wire-entry.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import { excludeMatcherOf } from '../exclude/exclude-rules.ts';
import { Failure } from '../failure.ts';
import type { DeviceNumbers } from '../manifest/device-numbers.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { requireLivingUnit } from '../panel/units.ts';
import type { Access, OwnerSight } from '../restore/owner/owner-sight.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { Difference, DiffRequest, DiffResult } from '../schemas/diff.ts';
import type { Change } from '../schemas/reading.ts';
import { excludeOf, usableRules } from '../timeline/exclude-rules.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import { doubtsOf, type RestorePoint } from '../timeline/point-in-time.ts';

/** In a cursor stands for the live tree. */
const LIVE = 'live';

/** A comparison that is under way: where it began, and what of it is on this page. */
interface Comparison {
  readonly open: OpenUnit;
  readonly from: RestorePoint;
  readonly fromLayers: OpenLayers;
  readonly scope: ByteString;
  readonly behind: ByteString | undefined;
  readonly page: DifferencePage;
  readonly yielder: Yielder;
}

/** Compares two points in time of a unit, or one with what is on the server now, in the order of paths. */
export async function diff(request: DiffRequest, context: Context): Promise<DiffResult> {
  if (request.live === true && request.to !== undefined) {
    throw new Failure('usage', 'compare with another point in time or with the live tree, not with both');
  }
  const [first, second, behind] = request.after === undefined ? [] : decodeCursor(request.after, 3);
  const open = await openUnit({ ...request, at: first ?? request.from }, context);
  const from = await open.timeline.resolve(first ?? request.from, context.now());
  const fromLayers = await OpenLayers.open(from.chain, open.repository, request.live === true ? devicesOf(from, open, context) : undefined);
  try {
    const page = new DifferencePage(request.limit);
    const comparison = { open, from, fromLayers, scope: requestedPath(request.folder), behind, page, yielder: new Yielder(context) };
    let to: RestorePoint | undefined;
    if (request.live === true) await compareLive(comparison, context);
    else {
      to = await open.timeline.resolve(second ?? request.to, context.now());
      await comparePoints(comparison, to);
    }
    const doubts = doubtsResult([...doubtsOf(from), ...(to === undefined ? [] : doubtsOf(to))]);
    const { list, count } = page.warnings;
    const warnings = [...doubts.warnings, ...list];
    const status = warnings.length === 0 ? 'ok' : 'partial';
    const next = page.hasMore ? encodeCursor([from.moment.snapshot, to?.moment.snapshot ?? LIVE, page.last]) : null;
    const moments = { from: from.moment, to: to?.moment ?? null };
    return { status, ...open.head, ...moments, differences: page.rows, warnings, warningCount: doubts.warningCount + count, next };
  } finally {
    fromLayers.close();
  }
}

/** Which numbers the devices of a point in time have on the server now. */
function devicesOf({ chain }: RestorePoint, { head }: OpenUnit, { settings }: Context): DeviceNumbers {
  return unitDevices(requireLivingUnit(settings, head.unit).roots, chain.at(-1)).numbers;
}

async function comparePoints({ open, from, fromLayers, scope, behind, page, yielder }: Comparison, to: RestorePoint): Promise<void> {
  const toLayers = await OpenLayers.open(to.chain, open.repository);
  try {
    const before = shownIn(fromLayers, open.sight);
    const after = shownIn(toLayers, open.sight);
    const has = (path: ByteString): boolean => hasShown(fromLayers, path, before) || hasShown(toLayers, path, after);
    if (scope !== '' && !has(scope)) throw unknownPath('neither of these points in time has', [scope], has);
    const output = new ShownDifferences(page, before, after);
    const side = (point: RestorePoint, layers: OpenLayers): Side => ({
      layers: layers.readers,
      snapshots: point.chain.map(({ id }) => id),
    });
    for (const found of diffTrees(side(from, fromLayers), side(to, toLayers), scope, behind)) {
      if (found !== undefined) output.difference(found.path, found.before, found.after, found.changes);
      if (page.isFull) return;
      if (yielder.isDue()) await yielder.take();
    }
  } finally {
    toLayers.close();
  }
}

async function compareLive({ open, fromLayers, scope, behind, page, yielder }: Comparison, context: Context): Promise<void> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can look at every account', { advice: 'Run this as root.' });
  const { unit: name, current } = open.head;
  const unit = requireLivingUnit(context.settings, name);
  if (!current) {
    throw new Failure('unit_unknown', `the ${name} on this server is not the one of these backups`, {
      affected: [open.head.unitId],
      advice: 'Compare two of its points in time with --from and --to.',
    });
  }
  const rules = usableRules(excludeOf(unit, context.settings), [], 'what the patterns exclude from backups is shown as added', context);
  const exclude = excludeMatcherOf(rules);
  const { includeSubvolumes } = context.settings;
  const before = shownIn(fromLayers, open.sight);
  const after = shownLive(unit, open.sight);
  const has = (path: ByteString): boolean => hasShown(fromLayers, path, before) || after.has(path);
  if (scope !== '' && !has(scope)) throw unknownPath('neither this point in time nor the server has', [scope], has);
  const output = new ShownDifferences(page, before, after.shows);
  const walker = compareWithLive({ layers: fromLayers.readers, unit, exclude, includeSubvolumes, scope, behind }, output);
  try {
    while (!page.isFull && walker.advance()) await yielder.take();
  } finally {
    walker.close();
  }
}

/** Tells of a path and what is there whether it is shown. */
type Shows = (path: ByteString, entry: Access) => boolean;

function shownIn(layers: OpenLayers, sight: OwnerSight | undefined): Shows {
  if (sight === undefined) return () => true;
  const paths = new VisiblePaths(sight, (path) => entryAt(layers.readers, path));
  return (path, entry) => paths.shows(path, entry);
}

/** Whether a point in time has a path that is shown. */
function hasShown(layers: OpenLayers, path: ByteString, shows: Shows): boolean {
  const entry = entryAt(layers.readers, path);
  return entry === undefined ? hasPath(layers.readers, path) && shows(path, CLOSED) : shows(path, entry);
}

/** The same of the live tree. */
function shownLive(unit: PanelUnit, sight: OwnerSight | undefined): { readonly shows: Shows; has(path: ByteString): boolean } {
  const paths = sight === undefined ? undefined : new VisiblePaths(sight, (path) => liveAccess(unit, path));
  const shows: Shows = (path, entry) => paths === undefined || paths.shows(path, entry);
  return {
    shows,
    has(path) {
      const access = liveAccess(unit, path);
      return access !== undefined && shows(path, access);
    },
  };
}

/** Nobody's, for what is there without properties. */
const CLOSED: Access = { kind: 'directory', mode: 0, uid: 0, gid: 0, xattrs: [] };

/** Passes on what is shown of a comparison; what is not shown on one side counts as not there. */
class ShownDifferences implements LiveOutput {
  readonly #page: DifferencePage;
  readonly #before: Shows;
  readonly #after: Shows;

  constructor(page: DifferencePage, before: Shows, after: Shows) {
    this.#page = page;
    this.#before = before;
    this.#after = after;
  }

  get isFull(): boolean {
    return this.#page.isFull;
  }

  difference(path: ByteString, before: Entry | undefined, after: Entry | LiveEntry | undefined, changes: readonly Change[]): void {
    const from = before !== undefined && this.#before(path, before) ? before : undefined;
    const to = after !== undefined && this.#after(path, after) ? after : undefined;
    if (from === undefined && to === undefined) return;
    this.#page.difference(path, from, to, from === undefined || to === undefined ? [] : changes);
  }

  problem(path: ByteString, code: string, message: string): void {
    // Without properties of its own, a place that could not be looked at is shown where everything is.
    if (this.#after(path, CLOSED)) this.#page.problem(path, code, message);
  }
}

/** Takes the differences of one page, and sees whether there is one more. */
class DifferencePage implements LiveOutput {
  readonly warnings = new WarningList();
  hasMore = false;
  last: ByteString = '';
  readonly #page: Page<Difference>;

  constructor(limit: number | undefined) {
    this.#page = new Page(limit);
  }

  get rows(): readonly Difference[] {
    return this.#page.rows;
  }

  get isFull(): boolean {
    return this.hasMore;
  }

  difference(path: ByteString, before: Entry | undefined, after: Entry | LiveEntry | undefined, changes: readonly Change[]): void {
    this.hasMore = this.#page.isFull;
    if (this.hasMore) return;
    this.last = path;
    this.#page.add({
      ...toWirePath(path),
      difference: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
      changes,
      before: before === undefined ? null : wireEntry(before),
      after: after === undefined ? null : wireEntry(after),
    });
  }

  problem(path: ByteString, code: string, message: string): void {
    this.warnings.add(path, code, message);
  }
}
