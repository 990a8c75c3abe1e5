import { asFailure } from '../../failure.ts';
import { runDocument } from '../../repository/documents.ts';
import { missingRuns, runMissing } from '../../repository/history/missing.ts';
import { isTimedId, timedIdStart, timeOfId, unitNameOf } from '../../repository/ids.ts';
import { reveal } from '../../repository/keys/sealed-members.ts';
import { recordIdOf, runPath, snapshotsFolder } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import type { LogEntry, RunRecord } from '../../repository/run-record.ts';
import { NamedUnits } from './named-units.ts';

/** Records that are read of a server at most: those of owners' runs can stand before the one of the night. */
const MOST_RECORDS = 50;
/** The same of a server whose program does not tell yet which run was of everything. */
const MOST_UNTOLD = 10;
/** Units of a server whose folders are looked into because no record tells of a good backup. */
const MOST_FOLDERS = 20;
/** A run that began before a time can have backed units up behind it: none takes longer, in milliseconds. */
const LONGEST_RUN = 24 * 60 * 60_000;
/** The clock of a server may be ahead of the one here by so much, in milliseconds. */
const CLOCKS_DIFFER = 15 * 60_000;

/** What the records of a server's runs say. */
export interface ReadUnits {
  readonly units: NamedUnits;
  /** By name: when the last snapshot was taken of a unit of which no record that was read has a good backup; undefined: there is none. */
  readonly lastSnapshots: ReadonlyMap<string, number | undefined>;
  /** How many runs are dated after now. They count for nothing: whoever has the server could date one far ahead, and it would never be overdue. */
  readonly ahead: number;
}

/**
 * Reads the newest records of a server's runs: one as a rule, the newest of the whole server. Only where units have no good backup there, those
 * before it, up to `since` (milliseconds since 1970), and then the folders of these units. What of the records is missing or cannot be used is reported.
 */
export async function readUnits(repository: Repository, since: number, now: number): Promise<ReadUnits> {
  const { runs } = repository;
  const units = new NamedUnits();
  const ids = await runs.ids();
  const present = timedIdStart(new Date(now + CLOCKS_DIFFER));
  const past = ids.filter((id) => id.slice(0, present.length) <= present).reverse();
  const log = new Map<string, Pick<LogEntry, 'previous'>>();
  let count = 0;
  for (const id of past) {
    if (units.hasWhole && (units.areAllGood || timeOfId(id).getTime() < since - LONGEST_RUN)) break;
    if (count++ >= (units.isUntold ? MOST_UNTOLD : MOST_RECORDS)) break;
    const found = await runs.readLinked(id, () => {});
    if (found === undefined) continue;
    const { run, sha256 } = found;
    if (run.log !== undefined) {
      log.set(id, run.log);
      runs.see({ sequence: run.log.sequence, id, sha256 });
    }
    units.add(await withMessages(run, repository));
  }
  for (const id of await missingRuns(repository, { ids, log })) repository.report(runMissing(id));
  const lost = units.all.filter(({ good }) => good === undefined).slice(0, MOST_FOLDERS);
  const lastSnapshots = await lastSnapshotsOf(
    lost.map(({ name }) => name),
    repository,
  );
  return { units, lastSnapshots, ahead: ids.length - past.length };
}

/** With the words of its failures, where somebody here can read them. */
async function withMessages(run: RunRecord, repository: Repository): Promise<RunRecord> {
  if (run.sealed === undefined || run.units.every(({ failure }) => failure === null)) return run;
  try {
    return await reveal(runDocument, repository.nameOf(runPath(run.id)), run, repository.keys);
  } catch (error) {
    if (!['identity_missing', 'identity_wrong'].includes(asFailure(error).code)) throw error;
    return run;
  }
}

async function lastSnapshotsOf(names: readonly string[], repository: Repository): Promise<Map<string, number | undefined>> {
  const last = new Map<string, number | undefined>();
  if (names.length === 0) return last;
  const folders = await repository.units.ids();
  for (const name of names) {
    let newest: string | undefined;
    for (const unit of folders.filter((id) => unitNameOf(id) === name)) {
      for await (const { name: path } of repository.listObjects(`${snapshotsFolder(unit)}/`)) {
        const id = recordIdOf(path);
        if (id !== undefined && isTimedId(id) && (newest === undefined || id > newest)) newest = id;
      }
    }
    last.set(name, newest === undefined ? undefined : timeOfId(newest).getTime());
  }
  return last;
}
