import { isBreathDue } from '../context/breath.ts';
import { asFailure, Failure } from '../failure.ts';
import { mergedEntries } from '../manifest/merge/merged-entries.ts';
import { isWithin } from '../manifest/path-order.ts';
import { type LostStretch, ManifestReader } from '../manifest/read/manifest-reader.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { damagedManifest } from './damage.ts';
import type { ExtentTable } from './extent-table.ts';
import type { VerificationWatch } from './watch.ts';

/** Who hears of what a manifest has. */
export interface ManifestFindings {
  /** Called for every extent. */
  readonly countExtent: (pack: string) => void;
  /** What is wrong; the rest is looked at all the same. */
  readonly problem: (error: unknown) => void;
}

/**
 * Compares the whole manifest of a snapshot with its record, and looks at every row. `trees` are the names of the trees that the records of its
 * chain have, undefined where they cannot be read. Throws what is wrong when nothing of it can be read.
 */
export async function checkManifest(
  repository: Repository,
  record: SnapshotRecord,
  trees: readonly string[] | undefined,
  { countExtent, problem }: ManifestFindings,
  watch: VerificationWatch,
): Promise<void> {
  const lost = new LostParts();
  const packs = new Set(record.packs.map(({ path }) => path));
  const check = async (reader: ManifestReader): Promise<void> => {
    watch.bytesRead += record.manifest.length;
    const unnamed = reader.packs.find((pack) => !packs.has(pack));
    if (unnamed !== undefined) problem(damagedManifest(`it points at ${unnamed}, which its record does not name`));
    let rows = 0;
    for (const row of reader.rows()) {
      rows++;
      if (isBreathDue()) await watch.step();
      watch.entries++;
      if (row.kind === 'tombstone') continue;
      if (trees?.some((tree) => isWithin(row.path, tree)) === false)
        problem(damagedManifest(`${JSON.stringify(row.path)} is in none of its trees`));
      for (const { pack } of row.content?.extents ?? []) if (packs.has(pack)) countExtent(pack);
    }
    const failure = lost.failure();
    if (failure !== undefined) problem(failure);
    else if (rows !== reader.rowCount) problem(damagedManifest(`it has ${rows} rows, and says ${reader.rowCount}`));
    reader.verifyWhole(plainManifest(record.manifest).sha256);
  };
  await withManifest(repository, record, (reader) => check(reader).catch((error) => problemOrThrow(error, problem)), lost.add);
}

function problemOrThrow(error: unknown, problem: (error: unknown) => void): void {
  const { code } = asFailure(error);
  if (code === 'cancelled' || code === 'internal') throw error;
  problem(error);
}

const NAMED_PARTS = 3;

/** The parts of a manifest that cannot be used, in one failure. */
class LostParts {
  readonly #all: LostStretch[] = [];

  readonly add = (lost: LostStretch): void => {
    this.#all.push(lost);
  };

  failure(): Failure | undefined {
    const [first] = this.#all;
    if (first === undefined) return undefined;
    const parts = this.#all.slice(0, NAMED_PARTS).map(({ from, to, isOne }) => {
      const begin = JSON.stringify(toWirePath(from).path);
      return isOne ? begin : `${begin} ${to === undefined ? 'to the end' : `up to ${JSON.stringify(toWirePath(to).path)}`}`;
    });
    const more = this.#all.length - parts.length;
    const { code, message, affected } = first.failure;
    return new Failure(code, `${message}; lost: ${parts.join(', ')}${more > 0 ? `, and ${more} more` : ''}`, { affected });
  }
}

/** Which extents of a manifest are collected, and where. */
interface Collection {
  /** The manifest's number in the table. */
  readonly manifest: number;
  /** Numbers of the packs in the table, by path; what lies in others is left out. */
  readonly packs: ReadonlyMap<string, number>;
  readonly table: ExtentTable;
}

/** Adds the extents of a snapshot that lie in some packs to a table. */
export async function collectExtents(
  repository: Repository,
  record: SnapshotRecord,
  { manifest, packs, table }: Collection,
  watch: VerificationWatch,
): Promise<void> {
  if (!record.packs.some(({ path }) => packs.has(path))) return;
  await withManifest(repository, record, async (reader) => {
    for (const { entry, block, row } of mergedEntries([reader])) {
      if (isBreathDue()) await watch.step();
      for (const extent of entry.content?.extents ?? []) {
        const pack = packs.get(extent.pack);
        if (pack !== undefined) table.add(extent, pack, manifest, block, row);
      }
    }
  });
}

/** Opens a manifest for one pass: a unit may have hundreds, and each open one costs memory. */
export async function withManifest(
  repository: Repository,
  record: SnapshotRecord,
  action: (reader: ManifestReader) => Promise<void> | void,
  onLost: (lost: LostStretch) => void = () => {},
): Promise<void> {
  const source = await repository.openManifest(record);
  try {
    await action(ManifestReader.open(source, plainManifest(record.manifest), { onLost }));
  } finally {
    source.close();
  }
}
