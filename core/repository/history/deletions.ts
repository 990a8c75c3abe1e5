import { Failure } from '../../failure.ts';
import { deletionDocument } from '../documents.ts';
import { isTimedId, newTimedId } from '../ids.ts';
import { DELETIONS_FOLDER, deletionPath, recordIdOf } from '../layout.ts';
import { FORMAT_VERSION } from '../record.ts';
import type { ServerFolder } from '../server-folder.ts';
import { readDocument, writeDocument } from '../stored-document.ts';
import type { DeletionRecord } from './deletion-record.ts';

/** What a server says that it deleted. */
export type Deleted = Pick<DeletionRecord, 'runs' | 'snapshots'>;

/** Of one server, by all its usable deletion records; what of these cannot be used is given to `report`. */
export async function readDeletions(folder: ServerFolder, report: (error: unknown) => void): Promise<Deleted & { readonly ids: string[] }> {
  const ids: string[] = [];
  const records: DeletionRecord[] = [];
  for await (const { name: path } of folder.listObjects(`${DELETIONS_FOLDER}/`)) {
    const id = recordIdOf(path);
    if (id === undefined || !isTimedId(id)) continue;
    ids.push(id);
    try {
      records.push(await readDeletion(folder, id));
    } catch (error) {
      // The next one says the same, and this one goes once that is there.
      if ((await folder.objectSize(path)) !== undefined) report(error);
    }
  }
  return { ids, runs: joined(records.flatMap(({ runs }) => runs)), snapshots: records.flatMap(({ snapshots }) => snapshots) };
}

async function readDeletion(folder: ServerFolder, id: string): Promise<DeletionRecord> {
  const name = folder.nameOf(deletionPath(id));
  const { value } = await readDocument(folder, deletionDocument, name);
  if (value.id === id && value.server === folder.server && value.repository === folder.identity.id) return value;
  throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

/** Says what is going to be deleted, besides `before`, which an earlier record said. That record and the others may go then. */
export async function recordDeletion(folder: ServerFolder, { runs, snapshots }: Deleted, before: readonly string[]): Promise<void> {
  const now = new Date();
  // All that there are are taken together: none has to be the newest.
  const id = newTimedId(now);
  const head = { formatVersion: FORMAT_VERSION, id, repository: folder.identity.id, server: folder.server };
  const record: DeletionRecord = { ...head, runs: joined(runs), snapshots, created: now.toISOString() };
  await writeDocument(folder, deletionDocument, folder.nameOf(deletionPath(id)), record);
  for (const old of before) await folder.removeObject(deletionPath(old));
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
