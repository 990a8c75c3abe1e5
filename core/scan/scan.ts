import { setImmediate } from 'node:timers/promises';
import { type ExcludeRules, excludeMatcherOf } from '../exclude/exclude-rules.ts';
import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { MergedTree } from '../manifest/merge/merged-tree.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import { Collector, type ScanOutput } from './collector.ts';
import { TreeComparison } from './compare/tree-comparison.ts';
import type { UnitContents } from './known/unit-contents.ts';
import type { UnitPacking } from './pack/unit-packing.ts';
import { inlinePages } from './walk/inline-pages.ts';
import type { ReaderPool } from './walk/reader-pool.ts';
import type { RowPage } from './walk/row-page.ts';
import { chooseSplitPoints } from './walk/split-points.ts';
import type { ReaderTask } from './walk/tree-reader.ts';

export interface ScanRequest extends ReaderTask {
  /** The manifests of the state to compare with, the oldest first; without any, everything counts as new. */
  readonly previous: readonly ManifestReader[];
  readonly exclude: ExcludeRules;
  /** Names beside the roots that the previous state has from elsewhere than these trees: whoever put them there sees to them. */
  readonly elsewhere?: ReadonlySet<ByteString>;
  /** What the repository holds; without it nothing is looked up. */
  readonly known?: UnitContents;
  /** How long the walk may take in milliseconds, pauses aside: what is not seen then is skipped. */
  readonly budget: number;
  readonly control: ScanControl;
}

/** What ends a scan, has it pause and hears how far it is. */
export interface ScanControl {
  /** Raised when the scan is to end. */
  readonly signal: AbortSignal;
  /** Asked between the pages of the walk, which goes on when it resolves. */
  readonly mayGoOn: () => Promise<void>;
  /** Called now and then with what is done so far. */
  readonly onProgress: (entries: number, bytes: number) => void;
}

/** The threads that a scan makes use of: the workers through what they do for this unit. */
export interface ScanThreads {
  readonly packing: UnitPacking;
  readonly readers: ReaderPool;
}

/** What the point in time consists of, not only what changed: without what had vanished before it was read. */
export interface ScanTotals {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Scans the roots of a unit: every difference to the previous state goes to `output` in path order, contents go through the
 * workers. Throws `cancelled` when the signal is raised, and what the threads or the output throw.
 */
export async function scan(request: ScanRequest, { packing, readers }: ScanThreads, output: ScanOutput): Promise<ScanTotals> {
  const { roots, previous, budget } = request;
  const { signal, mayGoOn, onProgress } = request.control;
  const collector = new Collector(packing, output, request.known);
  const comparison = new TreeComparison(roots, previous.length === 0 ? undefined : new MergedTree(previous), collector, request.elsewhere);
  // What is read, paused or held back then fails at once.
  const cancel = (): void => packing.cancel();
  signal.addEventListener('abort', cancel);
  const reportProgress = (): void => {
    const { entries, bytes } = collector.unread;
    onProgress(comparison.entries - entries, comparison.bytes - bytes);
  };
  let end = performance.now() + budget;
  try {
    for await (const page of pagesOf(request, readers)) {
      if (performance.now() > end) {
        comparison.endEarly(`the account has taken longer than ${Math.round(budget / 1000)} seconds; what follows is skipped`);
        break;
      }
      for (let row = 0; row < page.count; ) {
        row = comparison.take(page, row);
        reportProgress();
        // Lets messages of the workers in; waits for them only when too much is under way.
        await setImmediate();
        const paused = performance.now();
        await mayGoOn();
        end += performance.now() - paused;
        signal.throwIfAborted();
        while (collector.isCrowded) {
          await collector.drainOne();
          reportProgress();
        }
      }
    }
    comparison.finish();
    signal.throwIfAborted();
    await collector.finish(reportProgress);
    const { entries, bytes } = collector.correction;
    return { entries: comparison.entries + entries, bytes: comparison.bytes + bytes };
  } catch (error) {
    cancel();
    throw signal.aborted ? new Failure('cancelled', 'the backup was stopped') : error;
  } finally {
    signal.removeEventListener('abort', cancel);
    try {
      await collector.close();
    } finally {
      comparison.close();
    }
  }
}

function pagesOf(
  { roots, mounts, includeSubvolumes = false, previous, exclude }: ScanRequest,
  readers: ReaderPool,
): AsyncIterable<RowPage> | Iterable<RowPage> {
  const task: ReaderTask = { roots, mounts, includeSubvolumes };
  const cuts = chooseSplitPoints(previous);
  return cuts === undefined ? inlinePages(task, excludeMatcherOf(exclude)) : readers.pages(task, exclude, cuts);
}
