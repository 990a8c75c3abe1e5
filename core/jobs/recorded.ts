import type { Method, Methods } from '../commands/registry.ts';
import type { Context } from '../context/context.ts';
import { newTimedId } from '../repository/ids.ts';
import { useStateDirectory } from '../repository/state-directory.ts';
import { type JobMethod, LONG_METHODS } from '../schemas/jobs.ts';
import { removeExpired } from '../targets/download/expiry.ts';
import { askerOf } from './asker.ts';
import { carryOut, type JobInHand } from './carry-out.ts';
import { makeJob, unmakeJob } from './make-job.ts';
import type { JobRecord } from './record/job-record.ts';
import { discardRecord, removeOldRecords } from './record/old-records.ts';
import { recordFolder } from './record/places.ts';
import { HeldTicket } from './record/ticket.ts';

const RECORDED: readonly JobMethod[] = [...LONG_METHODS, 'nightly'];

/**
 * The same methods; what takes long is a job also when it is done in front of whoever asked: others see it, and can stop it. Where no
 * record can be made, the work is done without.
 */
export function recorded(methods: Methods): Methods {
  return new Map(
    [...methods].map(([name, method]) => [name, RECORDED.includes(name as JobMethod) ? withRecord(name as JobMethod, method) : method]),
  );
}

function withRecord(name: JobMethod, method: Method): Method {
  return {
    ...method,
    async perform(request, context) {
      const given = request as Readonly<Record<string, unknown>>;
      const job = given.dryRun === true ? undefined : await inHand(name, given, context);
      if (job === undefined) return method.perform(request, context);
      const result = await carryOut(job, context, (watched, begin) => {
        begin();
        return method.perform(request, watched);
      });
      // The timer asks each quarter of an hour.
      if (name === 'nightly' && (result as { due?: boolean }).due === false) discardRecord(context.settings.stateDirectory, job.record.id);
      return result;
    },
  };
}

async function inHand(method: JobMethod, request: Readonly<Record<string, unknown>>, context: Context): Promise<JobInHand | undefined> {
  let ticket: HeldTicket | undefined;
  let made: (() => void) | undefined;
  try {
    const { stateDirectory } = context.settings;
    if (process.geteuid?.() !== 0 || !useStateDirectory(stateDirectory, () => {})) return undefined;
    const asker = askerOf(request, context.settings);
    const created = new Date();
    const id = newTimedId(created);
    const record: JobRecord = { id, method, request, asker, user: null, created: created.toISOString(), directory: process.cwd() };
    makeJob(stateDirectory, record, { id, site: asker.site, size: 0, key: id, isQueued: false });
    made = () => unmakeJob(stateDirectory, id);
    ticket = await HeldTicket.take(stateDirectory, id);
    ticket?.work();
    removeOldRecords(stateDirectory, created.getTime(), method !== 'nightly');
    removeExpired(context.settings, created.getTime());
    if (ticket !== undefined) return { record, folder: recordFolder(stateDirectory, id), ticket };
  } catch {
    // What is wrong with the request or the settings, the command itself says in its own words.
    ticket?.giveBack();
  }
  // Else a job would be seen that failed, whatever comes of the work.
  made?.();
  return undefined;
}
