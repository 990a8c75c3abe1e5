import type { Context } from '../context/context.ts';
import type { EventLog } from './record/event-log.ts';
import type { JobOutcome, JobRecord } from './record/job-record.ts';
import { dismissReaderOf } from './record/old-records.ts';

/** A job that has ended. */
export interface EndedJob {
  readonly record: JobRecord;
  readonly outcome: JobOutcome;
  readonly events: EventLog;
}

/** Called once for each job that ends by itself, after its outcome was written; not for one whose process was killed. Never throws. */
export async function jobEnded({ record, outcome: { state, error }, events }: EndedJob, _context: Context): Promise<void> {
  // One that ended before its turn came has not met its reader.
  dismissReaderOf(record);
  const message = error === null ? state : `${state}: ${error.message}`;
  events.add({ kind: 'state', level: state === 'ok' ? 'info' : 'warning', code: 'ended', message });
}
