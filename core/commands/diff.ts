import { Failure } from '../failure.ts';
import type { DeviceNumbers } from '../manifest/device-numbers.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { exclusionOf } from '../manifest/left-out-rules.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import { requireLivingUnit } from '../panel/units.ts';
import { unitDevices } from './backup/unit-devices.ts';
import { WarningList } from './backup/warning-list.ts';
import type { Context } from './context.ts';
import { leftOutOf } from './left-out.ts';
import type { RestorePoint } from './moment.ts';
import { Breath } from './reading/breath.ts';
import { decodeCursor, encodeCursor } from './reading/cursor.ts';
import { diffTrees, type Side } from './reading/diff-trees.ts';
import { compareWithLive, type LiveEntry, type LiveOutput } from './reading/live-changes.ts';
import { OpenRuns } from './reading/open-runs.ts';
import { type OpenUnit, openUnit } from './reading/open-unit.ts';
import { Page } from './reading/page.ts';
import { requestedPath, wireEntry } from './reading/wire-entry.ts';
import type { Difference, DiffRequest, DiffResult } from './schemas/diff.ts';
import type { Change } from './schemas/reading.ts';

/** In a cursor stands for the live tree. */
const LIVE = 'live';

/** A comparison that is under way: where it began, and what of it is on this page. */
interface Comparison {
  readonly open: OpenUnit;
  readonly from: RestorePoint;
  readonly fromRuns: OpenRuns;
  readonly scope: ByteString;
  readonly behind: ByteString | undefined;
  readonly page: DifferencePage;
  readonly breath: Breath;
}

/** Compares two points in time of a unit, or one with what is on the server now, in the order of paths. */
export async function diff(request: DiffRequest, context: Context): Promise<DiffResult> {
  if (request.live === true && request.to !== undefined) {
    throw new Failure('usage', 'a comparison is with another point in time or with the live tree, not with both');
  }
  const [first, second, behind] = request.after === undefined ? [] : decodeCursor(request.after, 3);
  const open = await openUnit(request, context);
  const from = await open.timeline.resolve(first ?? request.from, context.now());
  const fromRuns = await OpenRuns.open(from.chain, open.repository, request.live === true ? devicesOf(from, open, context) : undefined);
  try {
    const page = new DifferencePage(request.limit);
    const comparison = { open, from, fromRuns, scope: requestedPath(request.folder), behind, page, breath: new Breath(context) };
    let to: RestorePoint | undefined;
    if (request.live === true) await compareLive(comparison, context);
    else {
      to = await open.timeline.resolve(second ?? request.to, context.now());
      await comparePoints(comparison, to);
    }
    const { list, count } = page.warnings;
    const next = page.hasMore ? encodeCursor([from.moment.snapshot, to?.moment.snapshot ?? LIVE, page.last]) : null;
    const moments = { from: from.moment, to: to?.moment ?? null };
    return { ...open.head, ...moments, differences: page.rows, warnings: list, warningCount: count, next };
  } finally {
    fromRuns.close();
  }
}

/** Which numbers the devices of a point in time have on the server now. */
function devicesOf({ chain }: RestorePoint, { head }: OpenUnit, { settings }: Context): DeviceNumbers {
  return unitDevices(requireLivingUnit(settings, head.unit).roots, chain.at(-1)?.devices ?? []).numbers;
}

async function comparePoints({ open, from, fromRuns, scope, behind, page, breath }: Comparison, to: RestorePoint): Promise<void> {
  const toRuns = await OpenRuns.open(to.chain, open.repository);
  try {
    const side = (point: RestorePoint, runs: OpenRuns): Side => ({ runs: runs.readers, snapshots: point.chain.map(({ id }) => id) });
    for (const found of diffTrees(side(from, fromRuns), side(to, toRuns), scope, behind)) {
      if (found !== undefined) page.difference(found.path, found.before, found.after, found.changes);
      if (page.isFull) return;
      if (breath.isDue()) await breath.take();
    }
  } finally {
    toRuns.close();
  }
}

async function compareLive({ open, fromRuns, scope, behind, page, breath }: Comparison, context: Context): Promise<void> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can look at every account', { advice: 'Run this as root.' });
  const { unit: name, current } = open.head;
  const unit = requireLivingUnit(context.settings, name);
  if (!current) {
    throw new Failure('unit_unknown', `the ${name} on this server is another one than in these backups`, {
      affected: [open.head.unitId],
      advice: 'Compare two of its points in time with --from and --to.',
    });
  }
  const leftOut = exclusionOf(leftOutOf(unit, context.settings));
  const { includeSubvolumes } = context.settings;
  const walker = compareWithLive({ runs: fromRuns.readers, unit, leftOut, includeSubvolumes, scope, behind }, page);
  try {
    while (!page.isFull && walker.advance()) await breath.take();
  } finally {
    walker.close();
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
