import { checkOwnersRequest } from '../backup/run/owner-run.ts';
import type { Methods } from '../commands/registry.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { newTimedId } from '../repository/ids.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { LongMethod, StartRequest, StartResult } from '../schemas/jobs.ts';
import type { RunRequest } from '../schemas/run.ts';
import { askerOf, isSameAsker } from './asker.ts';
import { launch, systemdRun } from './detached/launch.ts';
import { makeJob, unmakeJob } from './make-job.ts';
import { requireRoom, withQueue } from './queue.ts';
import { type Asker, isAskedToStop, type JobRecord, recordIfReadable, unitsOfRequest } from './record/job-record.ts';
import { recordFolder } from './record/places.ts';
import { liveTickets, type Ticket } from './record/ticket.ts';
import { standingOf } from './views.ts';

type AnyRequest = Readonly<Record<string, unknown>>;

/** Standard input, which a job does not have, as the options of keys name it. */
const STANDARD_INPUT = '-';

/**
 * Gives a long operation to a process of its own, and answers at once; the queue decides when it begins. A run that is asked for a second time
 * before it has ended is the same job. `starter` is the program that starts units. Throws what is wrong with the request, `too_many_jobs`.
 */
export async function startJob(
  { method, request, user }: StartRequest,
  context: Context,
  methods: Methods,
  starter: string | undefined = systemdRun(),
): Promise<StartResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can start a job', { advice: 'Run this as root.' });
  const given = request as AnyRequest;
  check(method, given, methods);
  const { settings } = context;
  const { stateDirectory } = settings;
  const asker = askerOf(given, settings);
  prepareStateDirectory(stateDirectory);
  const created = new Date();
  const id = newTimedId(created);
  const record: JobRecord = {
    id,
    method,
    request: given,
    asker,
    user: user ?? null,
    created: created.toISOString(),
    directory: process.cwd(),
  };
  const same = await withQueue(stateDirectory, () => {
    const live = liveTickets(stateDirectory);
    // One in a terminal ends with that.
    const same = live
      .filter(({ isQueued }) => isQueued)
      .map((ticket) => recordFolder(stateDirectory, ticket.id))
      // One that was asked to stop does not do what is asked for now.
      .filter((folder) => !isAskedToStop(folder))
      .flatMap((folder) => sameRun(record, recordIfReadable(folder)) ?? []);
    if (same[0] !== undefined) return same[0];
    requireRoom(asker.site, live);
    makeJob(stateDirectory, record, ticketOf(record));
    return undefined;
  });
  if (same !== undefined) return { ...standingOf(same, stateDirectory).view, joined: true, place: null };
  try {
    const place = await launch({ id, method, folder: recordFolder(stateDirectory, id) }, context, starter);
    return { ...standingOf(record, stateDirectory).view, joined: false, place };
  } catch (error) {
    unmakeJob(stateDirectory, id);
    throw error;
  }
}

/** Throws `usage` for what the method would refuse, and for what only a terminal can have. */
function check(method: LongMethod, request: AnyRequest, methods: Methods): void {
  const problem = methods.get(method)?.check(request);
  if (problem !== undefined) throw new Failure('usage', `${method}: ${problem.message}`, { affected: [problem.path] });
  if (request.dryRun === true) {
    throw new Failure('usage', 'a dry run changes nothing and is answered at once', { advice: 'Ask for it without a job.' });
  }
  if ([request.identity, request.passphraseFile].includes(STANDARD_INPUT)) {
    throw new Failure('usage', 'a job has no standard input', { advice: 'Name a file that has the key, which only root can read.' });
  }
  if (method === 'run' && request.policy === 'owner') checkOwnersRequest(request as RunRequest);
}

/** The record of a run that is the one asked for, undefined of any other. A run for an administrator does for that one alone. */
function sameRun(asked: JobRecord, other: JobRecord | undefined): JobRecord | undefined {
  if (asked.method !== 'run' || other?.method !== 'run' || !isSameAsker(asked.asker, other.asker)) return undefined;
  return wordsOf(asked.request) === wordsOf(other.request) ? other : undefined;
}

function wordsOf(request: AnyRequest): string {
  const { level = 'auto', readBack = null } = request;
  return JSON.stringify([unitsOfRequest(request).sort(), level, readBack]);
}

function ticketOf({ id, method, request, asker }: JobRecord): Ticket {
  return { id, site: asker.site, size: sizeOf(method, request), key: keyOf(method, asker, id), isQueued: true };
}

/** Some paths or databases, a unit, several, or the whole server. */
function sizeOf(method: string, request: AnyRequest): number {
  const { paths, databases } = request;
  if ([paths, databases].some((list) => Array.isArray(list) && list.length > 0)) return 0;
  const units = unitsOfRequest(request).length;
  if (units === 0) return 3;
  return units === 1 && method !== 'verify' ? 1 : 2;
}

/** What would wait for each other all the same takes no second place in the queue. */
function keyOf(method: string, { site }: Asker, id: string): string {
  if (site !== null) return site;
  return method === 'run' || method === 'prune' ? 'server' : id;
}
