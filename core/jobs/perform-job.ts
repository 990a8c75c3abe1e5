import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Methods } from '../commands/registry.ts';
import { watchInterruption } from '../context/interruption.ts';
import { openContext } from '../context/open-context.ts';
import { asFailure } from '../failure.ts';
import { liftLimits } from '../linux/process-limits.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { removeAbandonedFifos } from '../targets/download/abandoned-fifos.ts';
import { carryOut } from './carry-out.ts';
import { waitForTurn } from './queue.ts';
import { readOutcome, readRecord, writeOutcome } from './record/job-record.ts';
import { removeOldRecords } from './record/old-records.ts';
import { stateDirectoryOf } from './record/places.ts';
import { HeldTicket, liveTicket } from './record/ticket.ts';

/** In milliseconds: so long a unit of systemd is waited for that did not start at once. */
const UNIT_PATIENCE = 5000;
const LOOK_AGAIN = 100;

/** The same as `performJob`, unless another process of the job comes first within a few seconds. */
export async function standIn(folder: string, settingsFile: string | undefined, methods: Methods): Promise<number> {
  const end = performance.now() + UNIT_PATIENCE;
  try {
    while (performance.now() < end) {
      const ticket = liveTicket(stateDirectoryOf(folder), basename(folder));
      if (ticket === undefined || ticket.isHeld) return EXIT.locked;
      await pause(LOOK_AGAIN);
    }
  } catch {
    // Whether one came cannot be seen. Of two processes one gets the ticket.
  }
  return await performJob(folder, settingsFile, methods);
}

/**
 * The life of the process of a job: takes its ticket, waits for its turn, does the work. Its record has what came of it; the exit code says
 * only whether there is one. Another process of the same job ends at once.
 */
export async function performJob(folder: string, settingsFile: string | undefined, methods: Methods): Promise<number> {
  liftLimits();
  const stateDirectory = stateDirectoryOf(folder);
  const record = readRecord(folder);
  if (record === undefined || record.id !== basename(folder)) {
    process.stderr.write('error: this is for the program itself\n');
    return EXIT.usage;
  }
  const ticket = await takeOrSay(stateDirectory, record.id);
  if (ticket === 'refused') return EXIT.failed;
  if (ticket === undefined || readOutcome(folder) !== undefined) return EXIT.locked;
  process.on('uncaughtException', (defect) => {
    writeOutcome(folder, { state: 'failed', ended: new Date().toISOString(), result: null, error: toWireError(defect) });
    process.exit(EXIT.failed);
  });
  try {
    process.chdir(record.directory);
  } catch {
    // It was deleted. Relative paths lead nowhere then, and are told.
  }
  // Here, so that no answer waits for it.
  removeOldRecords(stateDirectory, Date.now());
  removeAbandonedFifos(Date.now());
  const interruption = watchInterruption();
  const context = openContext(settingsFile, { progress: () => {}, log: () => {} }, interruption.signal, record.method);
  try {
    await carryOut({ record, folder, ticket }, context, async (watched, begin, onWait) => {
      await waitForTurn(ticket, { stateDirectory, signal: watched.signal, onWait });
      begin();
      return await methods.get(record.method)?.perform(record.request, watched);
    });
    return EXIT.ok;
  } catch {
    return EXIT.failed;
  }
}

/** What keeps a job from beginning goes to the log of the system, where one that is lost is looked up. */
async function takeOrSay(stateDirectory: string, id: string): Promise<HeldTicket | undefined | 'refused'> {
  try {
    return await HeldTicket.take(stateDirectory, id);
  } catch (error) {
    process.stderr.write(`error: the job ${id} cannot begin: ${asFailure(error).message}\n`);
    return 'refused';
  }
}
