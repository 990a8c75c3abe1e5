import { mergedEntries } from '../manifest/merge/merged-entries.ts';
import { ManifestReader } from '../manifest/read/manifest-reader.ts';
import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { damagedManifest } from './damage.ts';
import type { ExtentTable } from './extent-table.ts';
import type { VerificationWatch } from './watch.ts';

const ROWS_PER_STEP = 4096;

/**
 * Compares the whole manifest of a snapshot with its record, decodes every row and checks what each says about its content.
 * `countExtent` is called for every extent. Throws what is wrong.
 */
export async function checkManifest(
  repository: Repository,
  record: SnapshotRecord,
  countExtent: (pack: string) => void,
  watch: VerificationWatch,
): Promise<void> {
  await withManifest(repository, record, async (reader) => {
    reader.verifyWhole(plainManifest(record.manifest).sha256);
    watch.bytesRead += record.manifest.length;
    const packs = new Set(record.packs.map(({ path }) => path));
    const unnamed = reader.packs.find((pack) => !packs.has(pack));
    if (unnamed !== undefined) throw damagedManifest(`it points at ${unnamed}, which its record does not name`);
    let rows = 0;
    for (const row of reader.rows()) {
      if (++rows % ROWS_PER_STEP === 0) await watch.step();
      watch.entries++;
      if (row.kind === 'tombstone') continue;
      for (const { pack } of row.content?.extents ?? []) countExtent(pack);
    }
  });
}

/** Adds the extents that lie in one of `packs` (numbers by path) to the table. `number` is the manifest's. */
export async function collectExtents(
  repository: Repository,
  record: SnapshotRecord,
  number: number,
  packs: ReadonlyMap<string, number>,
  table: ExtentTable,
  watch: VerificationWatch,
): Promise<void> {
  if (!record.packs.some(({ path }) => packs.has(path))) return;
  await withManifest(repository, record, async (reader) => {
    let rows = 0;
    for (const { entry, block, row } of mergedEntries([reader])) {
      if (++rows % ROWS_PER_STEP === 0) await watch.step();
      for (const extent of entry.content?.extents ?? []) {
        const pack = packs.get(extent.pack);
        if (pack !== undefined) table.add(extent, pack, number, block, row);
      }
    }
  });
}

/** Opens a manifest for one pass: a unit may have hundreds, and each open one costs memory. */
export async function withManifest(
  repository: Repository,
  record: SnapshotRecord,
  action: (reader: ManifestReader) => Promise<void> | void,
): Promise<void> {
  const source = await repository.openManifest(record);
  try {
    await action(ManifestReader.open(source, plainManifest(record.manifest)));
  } finally {
    source.close();
  }
}
