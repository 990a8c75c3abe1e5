import type { Sample } from '../sample.ts';

/** The medians of the rounds of one tool in one step. */
export interface Summary {
  readonly step: string;
  readonly tool: string;
  readonly rounds: number;
  readonly wallSeconds: number;
  readonly processorSeconds: number;
  /** The highest of the rounds, not the median. */
  readonly peakBytes: number;
  readonly flushSeconds: number;
  readonly storedBytes: number;
}

/** The middle of some numbers, of an even count the mean of the two in the middle; not a number when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One summary for each tool in each step, in the order of the samples. */
export function summarize(samples: readonly Sample[]): Summary[] {
  const groups = Map.groupBy(samples, ({ step, tool }) => `${step}\n${tool}`);
  return [...groups.values()].map((group) => {
    const middle = (field: 'wallSeconds' | 'processorSeconds' | 'flushSeconds' | 'storedBytes') =>
      median(group.map((sample) => sample[field]));
    return {
      step: group[0]!.step,
      tool: group[0]!.tool,
      rounds: group.length,
      wallSeconds: middle('wallSeconds'),
      processorSeconds: middle('processorSeconds'),
      peakBytes: Math.max(...group.map(({ peakBytes }) => peakBytes)),
      flushSeconds: middle('flushSeconds'),
      storedBytes: middle('storedBytes'),
    };
  });
}

/** The summary of a tool in a step; undefined when it was not measured there. */
export function summaryOf(summaries: readonly Summary[], step: string, tool: string): Summary | undefined {
  return summaries.find((summary) => summary.step === step && summary.tool === tool);
}

/** How many times as long one tool took as another; undefined when either was not measured. */
export function wallRatio(summaries: readonly Summary[], step: string, tool: string, reference: string): number | undefined {
  const [measured, base] = [summaryOf(summaries, step, tool), summaryOf(summaries, step, reference)];
  return measured === undefined || base === undefined ? undefined : measured.wallSeconds / base.wallSeconds;
}
