import type { EndedUnit } from '../backup/run/ended-unit.ts';
import type { EarlierPart } from '../backup/run/run-journal.ts';
import type { Progress } from '../context/context.ts';
import type { DatabaseExport } from '../context/database-export.ts';
import type { Notice } from '../context/notice.ts';
import type { WireError } from '../schemas/parts.ts';
import type { RunRequest, RunResult } from '../schemas/run.ts';

/** The argument that makes a process of this program work for another one of it. */
export const WORK_FOR_SUPERVISOR = 'supervised-run';

/** The argument that makes a process of this program carry out a job, whose folder follows, and the settings file where one was named. */
export const PERFORM_JOB = 'perform-job';

/** The same of one that does so only where no other process comes: a unit may still start. */
export const STAND_IN_FOR_JOB = 'stand-in-for-job';

/** The argument with which systemd starts this program when the unit of a job has ended; the job's folder follows. */
export const SETTLE_JOB = 'settle-job';

/** What a supervisor asks, all there is on its worker's stdin. */
export interface Job {
  readonly supervisor: number;
  readonly request: RunRequest;
  /** Null: the usual one. */
  readonly settingsFile: string | null;
  readonly earlier: EarlierPart | null;
  /** The panel's export of databases, which is made once a run; null where it was not wanted. */
  readonly databaseExport: DatabaseExport | null;
  readonly debug: boolean;
}

/** What a worker says, a line of JSON each on its stdout; the last one is `result` or `error`, or else it ended by itself. */
export type Message =
  /** The worker has all that it needs, and begins. */
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'log'; readonly line: Notice }
  | { readonly type: 'begin'; readonly run: Pick<EarlierPart, 'id' | 'started'> }
  | { readonly type: 'beginUnit'; readonly unit: string; readonly time: string }
  | { readonly type: 'endUnit'; readonly ended: EndedUnit }
  /** Something was thrown that nobody catches; the end follows. */
  | { readonly type: 'defect'; readonly message: string }
  | { readonly type: 'result'; readonly result: RunResult }
  | { readonly type: 'error'; readonly error: WireError };
