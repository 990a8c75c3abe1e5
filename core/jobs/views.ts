import { Failure } from '../failure.ts';
import type { JobView } from '../schemas/jobs.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { isAskedToStop, type JobOutcome, type JobRecord, readBegun, readOutcome, unitsOfRequest } from './record/job-record.ts';
import { recordFolder } from './record/places.ts';
import { type LiveTicket, liveTicket } from './record/ticket.ts';

/** How a job stands: the one who looks sees no process id and no file, only what is true. */
export interface Standing {
  readonly view: JobView;
  readonly outcome: JobOutcome | undefined;
}

export function standingOf(record: JobRecord, stateDirectory: string): Standing {
  const folder = recordFolder(stateDirectory, record.id);
  let outcome = readOutcome(folder);
  const live = outcome === undefined ? liveTicket(stateDirectory, record.id) : undefined;
  // It may have ended between the two looks.
  if (outcome === undefined && live === undefined) outcome = readOutcome(folder) ?? lost(record);
  const begun = readBegun(folder);
  return {
    outcome,
    view: {
      job: record.id,
      method: record.method,
      state: outcome?.state ?? stateOf(live),
      role: record.asker.role,
      site: record.asker.site,
      user: record.user,
      units: unitsOfRequest(record.request),
      created: record.created,
      begun,
      ended: outcome === undefined || outcome.ended === '' ? null : outcome.ended,
      cancelling: outcome === undefined && isAskedToStop(folder),
      error: outcome?.error ?? null,
    },
  };
}

function stateOf(live: LiveTicket | undefined): 'running' | 'waiting' {
  return live?.isWorking === true ? 'running' : 'waiting';
}

/** What became of a job whose process ended without a word; `cause` says why, where that is known. */
export function lost({ id }: JobRecord, cause?: string): JobOutcome {
  const message = `the process of this job ended without saying what came of it${cause === undefined ? '' : `: ${cause}`}`;
  const failure = new Failure('job_lost', message, {
    affected: [id],
    advice: 'See in the system’s log what ended it. What it had done by then is in the backups; ask for the rest again.',
    retry: true,
  });
  return { state: 'failed', ended: '', result: null, error: toWireError(failure) };
}
