import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import type { JobRequest, JobResult, JobsRequest, JobsResult, JobView, LogRequest, LogResult } from '../schemas/jobs.ts';
import { maySee, viewerOf } from './asker.ts';
import { readEvents } from './record/event-log.ts';
import { askToStop, type JobRecord, readProgress, readRecord, unknownJob } from './record/job-record.ts';
import { recordIds } from './record/old-records.ts';
import { recordFolder } from './record/places.ts';
import { type Standing, standingOf } from './views.ts';

const USUAL_JOBS = 100;
const USUAL_EVENTS = 1000;

type Whose = Pick<JobRequest, 'policy' | 'unit'>;

/** The record of a job that whoever asks may see. Throws `job_unknown` for any other: who asks does not hear whether there is one. */
function find(
  { job, ...whose }: Whose & { readonly job: string },
  context: Context,
): { readonly record: JobRecord; readonly folder: string } {
  const viewer = viewerOf(whose, () => context.settings);
  const folder = recordFolder(context.settings.stateDirectory, job);
  const record = readRecord(folder);
  if (record === undefined || !maySee(record, viewer)) throw unknownJob(job);
  return { record, folder };
}

export async function job(request: JobRequest, context: Context): Promise<JobResult> {
  const { record, folder } = find(request, context);
  const { view, outcome } = standingOf(record, context.settings.stateDirectory);
  const { request: asked } = record;
  return {
    ...view,
    request: asked,
    progress: view.state === 'running' ? (readProgress(folder) ?? null) : null,
    result: outcome?.result ?? null,
  };
}

export async function jobs({ live, limit = USUAL_JOBS, after, ...whose }: JobsRequest, context: Context): Promise<JobsResult> {
  const viewer = viewerOf(whose, () => context.settings);
  const { stateDirectory } = context.settings;
  const found: JobView[] = [];
  for (const id of recordIds(stateDirectory)) {
    if (after !== undefined && id >= after) continue;
    const standing = standingIfReadable(id, (record) => maySee(record, viewer), context);
    if (standing === undefined || (live === true && standing.outcome !== undefined)) continue;
    if (found.length === limit) return { jobs: found, next: found.at(-1)?.job ?? null };
    found.push(standing.view);
  }
  return { jobs: found, next: null };
}

/** Undefined of a job that is not to be shown, and of one of which nothing can be read, which is said. */
function standingIfReadable(
  id: string,
  isShown: (record: JobRecord) => boolean,
  { settings: { stateDirectory }, reporter }: Context,
): Standing | undefined {
  try {
    const record = readRecord(recordFolder(stateDirectory, id));
    return record === undefined || !isShown(record) ? undefined : standingOf(record, stateDirectory);
  } catch (error) {
    const message = `the record of the job ${id} cannot be read, so it is not listed: ${asFailure(error).message}`;
    reporter.log({ level: 'warning', code: 'state_unusable', message, affected: [id] });
    return undefined;
  }
}

export async function cancel(request: JobRequest, context: Context): Promise<JobView> {
  const { record, folder } = find(request, context);
  const { stateDirectory } = context.settings;
  if (standingOf(record, stateDirectory).outcome === undefined) askToStop(folder);
  return standingOf(record, stateDirectory).view;
}

/** What a job noticed may be about the whole repository, other accounts too: an owner hears how the job went. */
export async function log({ after = 0, limit = USUAL_EVENTS, ...request }: LogRequest, context: Context): Promise<LogResult> {
  const { record, folder } = find(request, context);
  const { state } = standingOf(record, context.settings.stateDirectory).view;
  const events = readEvents(folder)
    .filter(({ number, kind }) => number > after && (request.policy !== 'owner' || kind !== 'notice'))
    .slice(0, limit);
  return { job: record.id, state, events, next: events.at(-1)?.number ?? after };
}
