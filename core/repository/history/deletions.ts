import { asFailure, Failure } from '../../failure.ts';
import { deletionDocument } from '../documents.ts';
import { isTimedId, newTimedId } from '../ids.ts';
import { DELETIONS_FOLDER, deletionPath, recordIdOf } from '../layout.ts';
import { FORMAT_VERSION } from '../record.ts';
import type { ServerFolder } from '../server-folder.ts';
import { readDocument, writeDocument } from '../stored-document.ts';
import type { DeletionRecord, Standing } from './deletion-record.ts';
import { forgetUnsaid, readUnsaid } from './unsaid-deletion.ts';

/** What a server says that it deleted, and what stays. */
export type Deleted = Required<Pick<DeletionRecord, 'runs' | 'snapshots' | 'standing' | 'accepted'>>;

/** That, as it was found. */
export interface FoundDeletions extends Deleted {
  readonly ids: string[];
  /** False: a record cannot be used, so there is no telling what else was deleted. */
  readonly isWhole: boolean;
}

/**
 * Of one server, by all its usable deletion records, and by what this machine could not write into one; what of these cannot be used is given to
 * `report`.
 */
export async function readDeletions(folder: ServerFolder, report: (error: unknown) => void): Promise<FoundDeletions> {
  const ids: string[] = [];
  const unsaid = readUnsaid(folder.stateFolder, folder.server);
  const records: DeletionRecord[] = unsaid === undefined ? [] : [unsaid];
  let isWhole = true;
  for await (const { name: path } of folder.listObjects(`${DELETIONS_FOLDER}/`)) {
    const id = recordIdOf(path);
    if (id === undefined || !isTimedId(id)) continue;
    ids.push(id);
    try {
      records.push(await readDeletion(folder, id));
    } catch (error) {
      // The next one says the same, and this one goes once that is there.
      if ((await folder.objectSize(path)) === undefined) continue;
      isWhole = false;
      report(error);
    }
  }
  const snapshots = records.flatMap((record) => record.snapshots);
  const standing = newestOfEach(records.flatMap((record) => record.standing ?? []));
  const accepted = records.flatMap((record) => record.accepted ?? []);
  return { ids, isWhole, runs: joined(records.flatMap(({ runs }) => runs)), snapshots, standing, accepted };
}

/** Of several that say what stays of a unit the one that knew most runs. */
function newestOfEach(all: readonly Standing[]): Standing[] {
  const newest = new Map<string, Standing>();
  for (const each of all) if (each.sequence >= (newest.get(each.unit)?.sequence ?? 0)) newest.set(each.unit, each);
  return [...newest.values()];
}

async function readDeletion(folder: ServerFolder, id: string): Promise<DeletionRecord> {
  const name = folder.nameOf(deletionPath(id));
  const { value } = await readDocument(folder, deletionDocument, name);
  if (value.id === id && value.server === folder.server && value.repository === folder.identity.id) return value;
  throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

/** A deletion record of now. */
export function deletionOf(folder: ServerFolder, { runs, snapshots, standing, accepted }: Deleted): DeletionRecord {
  const now = new Date();
  const head = { formatVersion: FORMAT_VERSION, id: newTimedId(now), repository: folder.identity.id, server: folder.server };
  const more = { standing, ...(accepted.length === 0 ? {} : { accepted }) };
  return { ...head, runs: joined(runs), snapshots, ...more, created: now.toISOString() };
}

/**
 * Says in the repository what is going to be deleted, besides what the records `before` said. Those go then: all that there are are taken together. Where
 * nothing may be deleted they stay.
 */
export async function writeDeletion(folder: ServerFolder, record: DeletionRecord, before: readonly string[]): Promise<void> {
  await writeDocument(folder, deletionDocument, folder.nameOf(deletionPath(record.id)), record);
  forgetUnsaid(folder.stateFolder, folder.server);
  for (const old of before) await whereAllowed(() => folder.removeObject(deletionPath(old)));
}

/** Deletes something that does no harm where it stays; false where the place does not let this machine. */
export async function whereAllowed(removal: () => Promise<void>): Promise<boolean> {
  try {
    await removal();
    return true;
  } catch (error) {
    if (asFailure(error).code !== 'repository_refused') throw error;
    return false;
  }
}

/** Ranges in their order, those that touch as one. */
function joined(ranges: DeletionRecord['runs']): DeletionRecord['runs'] {
  const found: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = found.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else found.push({ first, last });
  }
  return found;
}

/** Whether a run record of this number was deleted by its server. */
export function coversRun({ runs }: Deleted, sequence: number): boolean {
  return runs.some(({ first, last }) => first <= sequence && sequence <= last);
}
