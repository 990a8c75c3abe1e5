import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isTimedId, timedIdStart } from '../../repository/ids.ts';
import { dismissReader } from '../../targets/download/fifo-sink.ts';
import { type JobRecord, recordIfReadable } from './job-record.ts';
import { jobsFolder } from './places.ts';
import { liveTicket, removeDeadTickets } from './ticket.ts';

/** So many records are kept, and of each site so many. */
const KEPT = 500;
const KEPT_OF_A_SITE = 30;
/** The last ones are kept however old they are: a clock that was wrong for a moment takes nothing of them. */
const KEPT_WHATEVER = 50;
/** In milliseconds. */
const KEPT_FOR = 90 * 86_400_000;
const DAY = 86_400_000;

/** All records are looked at when so many more have come: a restore of one file does not read hundreds of them. */
const SELDOM = 16;

/** The ids of all records, the newest first. */
export function recordIds(stateDirectory: string): string[] {
  return names(recordsFolder(stateDirectory)).filter(isTimedId).sort().reverse();
}

function recordsFolder(stateDirectory: string): string {
  return join(jobsFolder(stateDirectory), 'records');
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Removes records of jobs that ended long ago, or that too many came after; and what killed processes left, FIFOs with them. Not so where
 * `seesFifos` is false: a service of systemd has a /tmp of its own, and leaves a killed download to the next process that has not. Never throws.
 */
export function removeOldRecords(stateDirectory: string, now: number, seesFifos = true): void {
  try {
    const folder = recordsFolder(stateDirectory);
    removeDeadTickets(stateDirectory, (id) => {
      const record = recordIfReadable(join(folder, id));
      if (!seesFifos && fifoOf(record) !== undefined) return false;
      dismissReaderOf(record);
      return true;
    });
    const ids = futureLast(recordIds(stateDirectory), now);
    if (ids.length % SELDOM !== 0) return;
    const ofSites = new Map<string, number>();
    for (const [index, id] of ids.entries()) {
      const site = recordIfReadable(join(folder, id))?.asker.site ?? '';
      const ofSite = (ofSites.get(site) ?? 0) + 1;
      ofSites.set(site, ofSite);
      const isOld = index >= KEPT_WHATEVER && now - modified(join(folder, id)) > KEPT_FOR;
      const isTooMany = index >= KEPT || (site !== '' && ofSite > KEPT_OF_A_SITE);
      if ((isOld || isTooMany) && liveTicket(stateDirectory, id) === undefined) remove(folder, id);
    }
    for (const name of names(folder).filter((name) => !isTimedId(name))) {
      // One that is being made is younger.
      if (now - modified(join(folder, name)) > 3_600_000) rmSync(join(folder, name), { recursive: true, force: true });
    }
  } catch {
    // The next job tries it again.
  }
}

/** A clock that was ahead made records of days to come: they are no newer than others, so they go when as many as are kept have come. */
function futureLast(ids: readonly string[], now: number): string[] {
  const tomorrow = timedIdStart(new Date(now + DAY));
  return [...ids.filter((id) => id < tomorrow), ...ids.filter((id) => id >= tomorrow)];
}

/** Of a download that has ended, or whose process was killed: whoever waits in its FIFO would wait for ever. Never throws. */
export function dismissReaderOf(record: JobRecord | undefined): void {
  const fifo = fifoOf(record);
  if (fifo !== undefined) dismissReader(fifo, record?.asker.site ?? undefined);
}

function fifoOf(record: JobRecord | undefined): string | undefined {
  const { fifo } = record?.request ?? {};
  return record?.method === 'download' && typeof fifo === 'string' ? fifo : undefined;
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Removes the record of a job of which nobody needs to know. Never throws. */
export function discardRecord(stateDirectory: string, id: string): void {
  try {
    remove(recordsFolder(stateDirectory), id);
  } catch {
    // It is seen as what it is: a job that had nothing to do.
  }
}

/** Under another name first: nobody finds half of a record. */
function remove(folder: string, id: string): void {
  renameSync(join(folder, id), join(folder, `${id}.gone`));
  rmSync(join(folder, `${id}.gone`), { recursive: true, force: true });
}
