import type { Context } from '../context/context.ts';
import { exitCodeOfResult } from '../schemas/exit-codes.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { jobEnded } from './job-end.ts';
import { type JobOutcome, type JobRecord, writeJson, writeOutcome } from './record/job-record.ts';
import { FILES } from './record/places.ts';
import type { HeldTicket } from './record/ticket.ts';
import { type Watched, watched } from './watched.ts';

/** A job that this process has in hand. */
export interface JobInHand {
  readonly record: JobRecord;
  readonly folder: string;
  readonly ticket: HeldTicket;
}

/** What is done in a job. `begin` says that its turn has come. */
export type Work = (context: Context, begin: () => void, onWait: (ahead: number) => void) => Promise<unknown>;

/** Does the work of a job, and records it from its beginning to its end. Returns and throws what the work does. */
export async function carryOut({ record, folder, ticket }: JobInHand, context: Context, work: Work): Promise<unknown> {
  const watch = watchedOr(context, folder, () => ticket.giveBack());
  const { events } = watch;
  const begin = (): void => {
    recordTime(folder);
    events.add({ kind: 'state', level: 'info', code: 'begun', message: 'it begins' });
  };
  const onWait = (ahead: number): void => {
    const message = ahead === 0 ? 'waiting for a job to end' : `waiting behind ${ahead} others`;
    events.add({ kind: 'state', level: 'info', code: 'waiting', message });
  };
  const end = async (outcome: JobOutcome): Promise<void> => {
    watch.close();
    writeQuietly(folder, outcome, context);
    await jobEnded({ record, outcome, events }, context);
    ticket.giveBack();
  };
  try {
    const result = await work(watch.context, begin, onWait);
    await end({ state: stateOf(result), ended: now(), result: result as object, error: null });
    return result;
  } catch (thrown) {
    const error = toWireError(thrown);
    const isStopped = error.code === 'cancelled';
    await end({ state: isStopped ? 'cancelled' : 'failed', ended: now(), result: null, error });
    throw thrown;
  }
}

/** Without it no work is begun, and nobody waits for a job that does none. */
function watchedOr(context: Context, folder: string, giveUp: () => void): Watched {
  try {
    return watched(context, folder);
  } catch (error) {
    giveUp();
    throw error;
  }
}

const now = (): string => new Date().toISOString();

function stateOf(result: unknown): JobOutcome['state'] {
  const status = (result as { status?: unknown } | null)?.status;
  if (status === 'partial' || status === 'damaged') return status;
  return exitCodeOfResult(result) === 0 ? 'ok' : 'failed';
}

function recordTime(folder: string): void {
  try {
    writeJson(folder, FILES.begun, { time: now() });
  } catch {
    // The ticket says that it is at work, which is what counts.
  }
}

function writeQuietly(folder: string, outcome: JobOutcome, { reporter }: Context): void {
  try {
    writeOutcome(folder, outcome);
  } catch (error) {
    const message = `what came of the job could not be recorded: ${(error as Error).message}`;
    reporter.log({ level: 'warning', code: 'state_unusable', message, affected: [folder] });
  }
}
