import { setImmediate } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { Collector, type ScanOutput } from './collector.ts';
import type { UnitContents } from './unit-contents.ts';
import type { WalkOptions } from './walker.ts';
import { Walker } from './walker.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Names between two looks at messages, progress and the abort signal: a few milliseconds. */
const STEP = 2048;

export interface ScanRequest extends WalkOptions {
  /** What the repository holds; without it nothing is looked up. */
  readonly known?: UnitContents;
  readonly signal: AbortSignal;
  /** Called now and then with what was seen so far. */
  readonly onProgress: (entries: number, bytes: number) => void;
}

/** What the walk saw: the whole point in time, not only what changed. */
export interface ScanTotals {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Scans the roots of a unit: every difference to the previous state goes to `output` in path order, contents go through the
 * pool. Throws `cancelled` when the signal is raised, and what the pool or the output throws.
 */
export async function scan(request: ScanRequest, pool: WorkerPool, output: ScanOutput): Promise<ScanTotals> {
  const collector = new Collector(pool, output, request.known);
  const walker = new Walker(request, collector);
  try {
    while (walker.advance(STEP)) {
      request.onProgress(walker.entries, walker.bytes);
      // Lets messages of the workers in; waits for them only when too much is under way.
      await setImmediate();
      if (request.signal.aborted) throw new Failure('cancelled', 'the backup was stopped');
      while (collector.isCrowded) await collector.drainOne();
    }
    await collector.finish();
    return { entries: walker.entries, bytes: walker.bytes };
  } catch (error) {
    pool.giveUp();
    throw error;
  } finally {
    walker.close();
    await collector.close();
  }
}
