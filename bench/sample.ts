import type { Measurement } from './measure.ts';

/** One measured run of one tool. */
export interface Sample extends Measurement {
  readonly step: string;
  readonly tool: string;
  readonly round: number;
  /** What it took, after the end of the process, until everything was on the disk. */
  readonly flushSeconds: number;
  /** By how much what the tool stores grew. */
  readonly storedBytes: number;
}

/** A run that did not do its work. */
export interface FailedRun {
  readonly step: string;
  readonly tool: string;
  readonly message: string;
}
