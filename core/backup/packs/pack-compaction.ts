import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { FRAME_LIMIT } from '../../archive/frame.ts';
import type { PackReader } from '../../archive/pack-reader.ts';
import { Failure } from '../../failure.ts';
import type { DeviceNumbers } from '../../manifest/device-numbers.ts';
import type { Extent, ManifestRow } from '../../manifest/entry.ts';
import type { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import type { FinishedManifest } from '../../manifest/write/manifest-writer.ts';
import type { ObjectReference } from '../../repository/record.ts';
import type { ScanRoot } from '../../scan/walk/scan-roots.ts';
import { ManifestOutput } from '../rows/manifest-output.ts';
import type { RunTools } from '../run/run-tools.ts';
import { ChunkPacks } from './chunk-packs.ts';
import { CopiedExtents } from './copied-extents.ts';
import { damagedPack, extentsOf, findUnderUsedByManifests, findUnderUsedPacks, type UnderUsedPack } from './live-ratio.ts';
import type { SnapshotPacks } from './snapshot-packs.ts';
import { UnchangedFiles } from './unchanged-files.ts';

/** Extents that are copied in one go: what is known of them is kept in memory, and the manifest is rewritten after it. */
const EXTENTS_AT_ONCE = 400_000;

/** A manifest that is complete and not stored yet. */
export interface AssembledManifest {
  readonly output: ManifestOutput;
  readonly finished: FinishedManifest;
}

/** For which snapshot packs are compacted. */
export interface CompactionOrder {
  readonly unit: string;
  /** The id of pack number n of the snapshot. */
  readonly packId: (number: number) => string;
  /** The packs of the snapshot, to which those with the copies are added. */
  readonly target: SnapshotPacks;
  /** The packs that may be left behind, by path. */
  readonly old: ReadonlyMap<string, ObjectReference>;
  /** The manifests before, each complete or the changes of one snapshot. */
  readonly before: readonly ManifestReader[];
  /** Where the unit lies. */
  readonly roots: readonly ScanRoot[];
  readonly devices: DeviceNumbers;
}

/**
 * Copies what a manifest needs of packs that hold little else into new packs, and returns a manifest that points at the copies;
 * the same one when there was nothing to copy. Nothing existing is touched: the old packs go with the snapshots that name
 * them. A pack that cannot be read stays named, with a warning: a backup does not fail because of what is old. Where this server has no
 * key to read them, the same contents are read from the unit's unchanged files.
 */
export async function compactPacks(assembled: AssembledManifest, order: CompactionOrder, tools: RunTools): Promise<AssembledManifest> {
  const { readable, closed } = await byReadability(order, tools);
  const target = new ChunkPacks(order.target);
  let current = assembled;
  const moveTo = (batch: readonly OldPack[], copied: CopiedExtents): void => {
    const next = rewrite(current.output, batch, copied, order, tools);
    if (current !== assembled) discard(current.output);
    current = next;
  };
  try {
    const spare = await findUnderUsedPacks(assembled.output.reader().rows(), readable, tools.repository);
    for (const batch of inBatches(spare)) moveTo(batch, await copyBatch(batch, current.output, target, tools));
    const rows = order.before.map((reader) => reader.rows());
    const unread = closed.size === 0 ? [] : findUnderUsedByManifests(current.output.reader().rows(), closed, rows);
    for (const batch of inBatches(unread)) moveTo(batch, await copyFromFiles(batch, current.output, target, order, tools));
    await target.finish();
    return current;
  } catch (error) {
    if (current !== assembled) discard(current.output);
    throw error;
  }
}

/** The old packs that this server can read, and those that it cannot. */
async function byReadability(
  { old }: CompactionOrder,
  { repository }: RunTools,
): Promise<Record<'readable' | 'closed', ReadonlyMap<string, ObjectReference>>> {
  const [readable, closed] = [new Map<string, ObjectReference>(), new Map<string, ObjectReference>()];
  for (const [path, reference] of old) ((await repository.keys.canRead([reference])) ? readable : closed).set(path, reference);
  return { readable, closed };
}

/** Closes and removes a manifest that is not needed any more. */
export function discard(output: ManifestOutput): void {
  output.close();
  rmSync(output.file, { force: true });
}

type OldPack = Omit<UnderUsedPack, 'reader'>;

function* inBatches<Pack extends OldPack>(spare: readonly Pack[]): Generator<Pack[]> {
  let batch: Pack[] = [];
  let extents = 0;
  for (const pack of spare) {
    if (batch.length > 0 && extents + pack.extents > EXTENTS_AT_ONCE) {
      yield batch;
      batch = [];
      extents = 0;
    }
    batch.push(pack);
    extents += pack.extents;
  }
  if (batch.length > 0) yield batch;
}

function numbersOf(batch: readonly OldPack[]): Map<string, number> {
  return new Map(batch.map(({ reference }, number) => [reference.path, number]));
}

/** Copies the extents of the packs of a batch, reading each frame once. */
async function copyBatch(
  batch: readonly UnderUsedPack[],
  manifest: ManifestOutput,
  target: ChunkPacks,
  tools: RunTools,
): Promise<CopiedExtents> {
  const table = tableOf(batch, manifest);
  const frames = new FrameReader();
  const broken = new Set<number>();
  for (const { place, length, digest, copied } of table.each()) {
    await tools.control.pass('old packs were compacted');
    if (broken.has(place.pack)) continue;
    const { reader, reference } = batch[place.pack] as UnderUsedPack;
    let bytes: Buffer;
    try {
      bytes = await frames.read(reader, { ...place, length });
      if (!hash('sha256', bytes, 'buffer').equals(digest))
        throw new Failure('digest_mismatch', 'content differs from its recorded SHA-256');
    } catch (error) {
      const failure = damagedPack(reference.path, error);
      const { code, message } = failure;
      // What is damaged is not built on: the unit is backed up in full instead.
      if (code === 'repository_damaged' || code === 'digest_mismatch') throw failure;
      tools.context.reporter.log({ level: 'warning', code, message: `an old pack is kept: ${message}`, affected: [reference.path] });
      broken.add(place.pack);
      continue;
    }
    copied(await target.add(bytes, digest));
  }
  return table;
}

/** The extents of a manifest that lie in the packs of a batch, and can be copied. */
function tableOf(batch: readonly OldPack[], manifest: ManifestOutput): CopiedExtents {
  const numbers = numbersOf(batch);
  const table = new CopiedExtents(batch.reduce((sum, { extents }) => sum + extents, 0));
  for (const row of manifest.reader().rows()) {
    for (const extent of extentsOf(row)) {
      const number = numbers.get(extent.pack);
      if (number !== undefined && extent.length <= FRAME_LIMIT / 2) table.add(number, extent);
    }
  }
  table.sort();
  return table;
}

/**
 * The same as `copyBatch` without the packs: from the files that are still what the manifest says. What has changed meanwhile stays where
 * it is, and its pack with it.
 */
async function copyFromFiles(
  batch: readonly OldPack[],
  manifest: ManifestOutput,
  target: ChunkPacks,
  { unit, roots, devices }: CompactionOrder,
  { control, pool, context }: RunTools,
): Promise<CopiedExtents> {
  const numbers = numbersOf(batch);
  const table = tableOf(batch, manifest);
  const files = new UnchangedFiles(roots, devices);
  const kept = new Set<string>();
  const isWanted = (extent: Extent): boolean => {
    const number = numbers.get(extent.pack);
    return number !== undefined && table.isMissing({ ...extent, pack: number }, extent.length);
  };
  try {
    for (const row of manifest.reader().rows()) {
      if (row.kind !== 'file' || !extentsOf(row).some(isWanted)) continue;
      for (const { extent, bytes } of files.read(row, isWanted)) {
        const delay = pool.readingDelay(bytes.length);
        if (delay > 0) await setTimeout(delay, undefined, { signal: control.signal }).catch(() => {});
        await control.pass('old packs were compacted');
        table.copied({ ...extent, pack: numbers.get(extent.pack) as number }, extent.length, await target.add(bytes, extent.digest));
      }
    }
    for (const row of manifest.reader().rows()) for (const extent of extentsOf(row)) if (isWanted(extent)) kept.add(extent.pack);
  } finally {
    files.close();
  }
  if (kept.size > 0) {
    const message = `${kept.size} old packs of ${unit}, of which little is needed, are kept: this server holds no key to copy from them, and not all that is needed is unchanged on the disk; a full that reads everything (\`--level full\`) needs none of them`;
    context.reporter.log({ level: 'info', code: 'compaction_skipped', message, affected: [unit] });
  }
  return table;
}

/** Reads extents that come in the order of their places; keeps the last frame. */
class FrameReader {
  #reader: PackReader | undefined;
  #frame = -1;
  #bytes: Buffer = Buffer.alloc(0);

  async read(reader: PackReader, extent: Pick<Extent, 'frame' | 'offset' | 'length'>): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (const { frame, begin, end } of reader.framesOfExtent(extent)) {
      if (reader !== this.#reader || frame !== this.#frame) {
        this.#bytes = await reader.readFrame(frame);
        this.#reader = reader;
        this.#frame = frame;
      }
      pieces.push(this.#bytes.subarray(begin, end));
    }
    return Buffer.concat(pieces);
  }
}

/** The same manifest, pointing at the copies. */
function rewrite(
  from: ManifestOutput,
  batch: readonly OldPack[],
  copied: CopiedExtents,
  { unit, packId }: CompactionOrder,
  { cache, repository }: RunTools,
): AssembledManifest {
  const numbers = numbersOf(batch);
  const moved = (extent: Extent): Extent => {
    const number = numbers.get(extent.pack);
    const to = number === undefined ? undefined : copied.find({ ...extent, pack: number }, extent.length);
    return to === undefined ? extent : { ...extent, pack: repository.packPath(unit, packId(to.pack)), frame: to.frame, offset: to.offset };
  };
  const output = new ManifestOutput(cache.temporaryFile(unit));
  try {
    for (const row of from.reader().rows()) output.add(withExtents(row, moved));
    return { output, finished: output.finish() };
  } catch (error) {
    discard(output);
    throw error;
  }
}

function withExtents(row: ManifestRow, moved: (extent: Extent) => Extent): ManifestRow {
  if (row.kind !== 'file' || row.content === undefined) return row;
  return { ...row, content: { ...row.content, extents: row.content.extents.map(moved) } };
}
