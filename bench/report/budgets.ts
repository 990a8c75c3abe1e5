import { NODE } from '../scenarios/jobs.ts';
import type { SizeName } from '../sizes.ts';
import { LINE_STEPS } from '../steps.ts';
import { FLOOR } from '../tools/floor.ts';
import { OURS, OURS_ENCRYPTED } from '../tools/ours.ts';
import { type Summary, summaryOf, wallRatio } from './summary.ts';

/** What is judged: the medians, and what was counted besides. */
export interface Outcome {
  readonly summaries: readonly Summary[];
  /** What restoring one file through a long chain read of the repository; undefined when that failed. */
  readonly bytesReadForOneFile: number | undefined;
}

interface Budget {
  readonly title: string;
  readonly limit: number;
  readonly unit: 'x' | 's' | 'MiB';
  /** The sizes for which the budget was set; at others it only gives an idea. */
  readonly sizes: readonly SizeName[];
  /** Undefined when it was not measured. */
  actual(outcome: Outcome): number | undefined;
}

export interface Verdict {
  readonly title: string;
  readonly limit: number;
  readonly unit: string;
  readonly actual: number | undefined;
  readonly verdict: 'met' | 'not met' | 'not measured';
  /** Whether the budget is meant for this size. */
  readonly counts: boolean;
}

const MIB = 2 ** 20;
/** 85 % of what the line carries. */
const LEAST_OF_LINE = 1 / 0.85;
const ALL: readonly SizeName[] = ['small', 'medium', 'large'];

const toFloor = (step: string) => (outcome: Outcome) => wallRatio(outcome.summaries, step, OURS, FLOOR);
const toPeer = (step: string, peer: string) => (outcome: Outcome) => wallRatio(outcome.summaries, step, OURS, peer);
const ofOurs = (step: string, value: (summary: Summary) => number) => (outcome: Outcome) => {
  const summary = summaryOf(outcome.summaries, step, OURS);
  return summary === undefined ? undefined : value(summary);
};

function quotient(numerator: number | undefined, denominator: number | undefined): number | undefined {
  return numerator === undefined || denominator === undefined ? undefined : numerator / denominator;
}

/** Beyond nothing-changed, in times of reading and compressing what changed. */
function changedBeyondUnchanged({ summaries }: Outcome): number | undefined {
  const wall = (step: string, tool: string) => summaryOf(summaries, step, tool)?.wallSeconds;
  const [changed, unchanged] = [wall('changed', OURS), wall('unchanged-warm', OURS)];
  return changed === undefined || unchanged === undefined ? undefined : quotient(changed - unchanged, wall('changed', FLOOR));
}

function highestPeak({ summaries }: Outcome, steps?: readonly string[]): number | undefined {
  const ours = summaries.filter(({ tool, step }) => tool === OURS && (steps === undefined || steps.includes(step)));
  return ours.length === 0 ? undefined : Math.max(...ours.map(({ peakBytes }) => peakBytes)) / MIB;
}

const BUDGETS: readonly Budget[] = [
  { title: 'nothing changed, warm, to find', limit: 1.5, unit: 'x', sizes: ['large'], actual: toFloor('unchanged-warm') },
  { title: 'nothing changed, cold, to find', limit: 1, unit: 'x', sizes: ['large'], actual: toFloor('unchanged-cold') },
  { title: 'full of mixed files, cold, to tar | zstd', limit: 0.9, unit: 'x', sizes: ['medium'], actual: toFloor('full-cold') },
  { title: 'full of mixed files, cold, to restic', limit: 1, unit: 'x', sizes: ['medium'], actual: toPeer('full-cold', 'restic') },
  { title: 'full of mixed files, cold, to borg', limit: 1, unit: 'x', sizes: ['medium'], actual: toPeer('full-cold', 'borg') },
  { title: 'full of small files, cold, to tar | zstd', limit: 0.7, unit: 'x', sizes: ['large'], actual: toFloor('full-cold') },
  {
    title: 'full of mixed files, encrypted, to the same in clear',
    limit: 1.11,
    unit: 'x',
    sizes: ALL,
    actual: ({ summaries }) => wallRatio(summaries, 'full-cold', OURS_ENCRYPTED, OURS),
  },
  {
    title: '1 % changed beyond nothing changed, to reading and compressing it',
    limit: 2,
    unit: 'x',
    sizes: ALL,
    actual: changedBeyondUnchanged,
  },
  { title: 'one file, newest of 30', limit: 0.3, unit: 's', sizes: ['large'], actual: ofOurs('chain-file', (file) => file.wallSeconds) },
  {
    title: 'one file, newest of 30, peak',
    limit: 120,
    unit: 'MiB',
    sizes: ['large'],
    actual: ofOurs('chain-file', (file) => file.peakBytes / MIB),
  },
  {
    title: 'one file, newest of 30, read',
    limit: 4,
    unit: 'MiB',
    sizes: ['large'],
    actual: ({ bytesReadForOneFile }) => quotient(bytesReadForOneFile, MIB),
  },
  { title: 'restore all, to zstd -d | tar -x', limit: 1, unit: 'x', sizes: ALL, actual: toFloor('restore-all') },
  { title: 'restore one large account, to zstd -d | tar -x', limit: 1, unit: 'x', sizes: ALL, actual: toFloor('chain-full') },
  {
    title: 'restore through 30 snapshots, to a full of the same state',
    limit: 1.2,
    unit: 'x',
    sizes: ALL,
    actual: ({ summaries }) =>
      quotient(summaryOf(summaries, 'chain-all', OURS)?.wallSeconds, summaryOf(summaries, 'chain-full', OURS)?.wallSeconds),
  },
  { title: 'highest peak of any step', limit: 200, unit: 'MiB', sizes: ['large'], actual: highestPeak },
  {
    title: 'peak with four times the entries, to the peak with them',
    limit: 1.15,
    unit: 'x',
    sizes: ['large'],
    actual: (outcome) =>
      quotient(highestPeak(outcome, ['fourfold-full', 'fourfold-unchanged']), highestPeak(outcome, ['entries-full', 'entries-unchanged'])),
  },
  {
    title: 'stored by a full, to tar | zstd',
    limit: 1.05,
    unit: 'x',
    sizes: ALL,
    actual: ({ summaries }) =>
      quotient(summaryOf(summaries, 'full-cold', OURS)?.storedBytes, summaryOf(summaries, 'full-cold', FLOOR)?.storedBytes),
  },
  {
    title: 'stored when 3 of 200 databases changed, to their full',
    limit: 0.03,
    unit: 'x',
    sizes: ALL,
    actual: ({ summaries }) =>
      quotient(summaryOf(summaries, 'databases-changed', OURS)?.storedBytes, summaryOf(summaries, 'databases-full', OURS)?.storedBytes),
  },
  { title: 'a job is started, to the start of Node alone', limit: 5, unit: 'x', sizes: ALL, actual: toPeer('job-start', NODE) },
  { title: '3 of 200 databases changed, to dumping all', limit: 1.2, unit: 'x', sizes: ALL, actual: toFloor('databases-changed') },
  ...LINE_STEPS.map(
    ({ id, title }): Budget => ({ title: `${title}, to the line alone`, limit: LEAST_OF_LINE, unit: 'x', sizes: ALL, actual: toFloor(id) }),
  ),
];

/** Whether each budget is met by what was measured. */
export function judge(outcome: Outcome, size: SizeName): Verdict[] {
  return BUDGETS.map(({ title, limit, unit, sizes, actual: measure }) => {
    const actual = measure(outcome);
    const verdict = actual === undefined ? 'not measured' : actual <= limit ? 'met' : 'not met';
    return { title, limit, unit, actual, verdict, counts: sizes.includes(size) };
  });
}

/** The verdicts as lines of text; those that were set for another size are marked. */
export function renderVerdicts(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ title, limit, unit, actual, verdict, counts }) => {
    const measured = actual === undefined ? '' : `: ${actual.toFixed(2)} ${unit}, at most ${Number(limit.toFixed(3))} ${unit}`;
    return `${verdict.padEnd(12)} ${title}${measured}${counts ? '' : ' (set for another size)'}`;
  });
}
