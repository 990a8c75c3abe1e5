import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { ChainSnapshot, Level } from '../../core/chain/snapshot.ts';

export const BERLIN = 'Europe/Berlin';

export function instant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/** A snapshot that names others as a record does. */
export function snapshot(id: string, level: Level, time: string, parent?: ChainSnapshot, more: Partial<ChainSnapshot> = {}): ChainSnapshot {
  const link = parent === undefined ? null : { id: parent.id, sha256: parent.sha256 };
  const base = level === 'full' || parent === undefined ? null : parent.level === 'full' ? link : parent.base;
  return { id, sha256: digestOf(id), level, synthetic: false, time, parent: link, base, ...more };
}

interface Step {
  readonly level: Level;
  /** Which of the earlier snapshots this one is built on, counted from the newest; mostly 0. */
  readonly back: number;
  /** Milliseconds since the step before; negative when the clock was set back. */
  readonly after: number;
  readonly usable: boolean;
  readonly plain: boolean;
}

const HOUR = 3_600_000;

const step: fc.Arbitrary<Step> = fc.record({
  level: fc.constantFrom<Level>('full', 'differential', 'incremental', 'incremental', 'incremental'),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) }),
  after: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 72 * HOUR }) },
    { weight: 1, arbitrary: fc.integer({ min: -900 * HOUR, max: 900 * HOUR }) },
  ),
  usable: fc.boolean().chain((maybe) => (maybe ? fc.constant(true) : fc.integer({ min: 0, max: 9 }).map((n) => n > 0))),
  plain: fc.boolean(),
});

function build(steps: readonly Step[], start: number): ChainSnapshot[] {
  const made: ChainSnapshot[] = [];
  let clock = start;
  for (const [i, { level, back, after, usable, plain }] of steps.entries()) {
    clock += after;
    const parent = made[Math.max(0, made.length - 1 - back)];
    const actual = parent === undefined ? 'full' : level;
    const synthetic = actual === 'full' && !plain && parent !== undefined;
    const built = actual === 'full' && !synthetic ? undefined : parent;
    made.push(snapshot(`s${i}`, actual, new Date(clock).toISOString(), built, { synthetic, usable }));
  }
  return made;
}

/** Histories with forks, several fulls, clock jumps and damaged snapshots, some of them with members taken away or swapped. */
export const history: fc.Arbitrary<ChainSnapshot[]> = fc
  .record({
    steps: fc.array(step, { maxLength: 25 }),
    missing: fc.array(fc.nat(24), { maxLength: 2 }),
    swapped: fc.option(fc.nat(24), { freq: 4 }),
  })
  .map(({ steps, missing, swapped }) =>
    build(steps, Date.parse('2026-09-01T00:00:00Z'))
      .map((made, i) => (i === swapped ? { ...made, sha256: digestOf('another record') } : made))
      .filter((_, i) => !missing.includes(i)),
  );
