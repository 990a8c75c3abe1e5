import { Failure } from '../../failure.ts';
import type { Entry } from '../../manifest/entry.ts';
import { EntryFlags } from '../../manifest/entry.ts';
import { ManifestReader } from '../../manifest/manifest-reader.ts';
import { mergedEntries } from '../../manifest/merged-entries.ts';
import type { RandomAccess } from '../../manifest/random-access.ts';
import type { SnapshotRecord } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ExtentTable } from './extent-table.ts';
import type { VerificationWatch } from './watch.ts';

const ROWS_PER_STEP = 4096;

/** A manifest that is whole, opened for further passes over its rows. */
export interface CheckedManifest {
  readonly record: SnapshotRecord;
  readonly reader: ManifestReader;
  readonly source: RandomAccess;
}

/**
 * Opens the manifest of a snapshot, compares the whole of it with its record, decodes every row and checks what each says
 * about its content. `countExtent` is called for every extent. Throws what is wrong.
 */
export async function checkManifest(
  repository: Repository,
  record: SnapshotRecord,
  countExtent: (pack: string) => void,
  watch: VerificationWatch,
): Promise<CheckedManifest> {
  const source = await repository.openManifest(record);
  try {
    const reader = ManifestReader.open(source, record.manifest);
    reader.verifyWhole(record.manifest.sha256);
    watch.bytesRead += record.manifest.length;
    const packs = new Set(record.packs.map(({ path }) => path));
    const unnamed = reader.packs.find((pack) => !packs.has(pack));
    if (unnamed !== undefined) throw damaged(`it points at ${unnamed}, which its record does not name`);
    let rows = 0;
    for (const row of reader.rows()) {
      if (++rows % ROWS_PER_STEP === 0) await watch.step();
      watch.entries++;
      if (row.kind === 'tombstone') continue;
      checkContent(row);
      for (const { pack } of row.content?.extents ?? []) countExtent(pack);
    }
    return { record, reader, source };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Adds the extents that lie in one of `packs` (numbers by path) to the table. `number` is the manifest's. */
export async function collectExtents(
  { reader }: CheckedManifest,
  number: number,
  packs: ReadonlyMap<string, number>,
  table: ExtentTable,
  watch: VerificationWatch,
): Promise<void> {
  if (!reader.packs.some((pack) => packs.has(pack))) return;
  let rows = 0;
  for (const { entry, block, row } of mergedEntries([reader])) {
    if (++rows % ROWS_PER_STEP === 0) await watch.step();
    for (const extent of entry.content?.extents ?? []) {
      const pack = packs.get(extent.pack);
      if (pack !== undefined) table.add(extent, pack, number, block, row);
    }
  }
}

/** What a restore relies on: content of the length that the entry has, with the digest of its only extent where it has one. */
function checkContent(entry: Entry): void {
  if (entry.kind !== 'file' || entry.size === 0 || (entry.flags & EntryFlags.contentMissing) !== 0) return;
  const { content, path } = entry;
  if (content === undefined) throw damaged(`${JSON.stringify(path)} has a size and no content`);
  const stored = content.sparse?.reduce((sum, { length }) => sum + length, 0) ?? entry.size;
  const found = content.extents.reduce((sum, { length }) => sum + length, 0);
  if (found !== stored) throw damaged(`${JSON.stringify(path)} has ${found} bytes of content instead of ${stored}`);
  const [only, ...others] = content.extents;
  if (only !== undefined && others.length === 0 && !only.digest.equals(content.digest)) {
    throw damaged(`${JSON.stringify(path)} has two different digests`);
  }
}

function damaged(message: string): Failure {
  return new Failure('repository_damaged', `damaged manifest: ${message}`);
}
