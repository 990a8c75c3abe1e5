import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { FRAME_LIMIT } from '../../archive/frame.ts';
import type { PackReader } from '../../archive/pack-reader.ts';
import { Failure } from '../../failure.ts';
import type { Extent, ManifestRow } from '../../manifest/entry.ts';
import type { FinishedManifest } from '../../manifest/write/manifest-writer.ts';
import type { ObjectReference } from '../../repository/record.ts';
import { ManifestOutput } from '../rows/manifest-output.ts';
import type { RunTools } from '../run/run-tools.ts';
import { ChunkPacks } from './chunk-packs.ts';
import { CopiedExtents } from './copied-extents.ts';
import { damagedPack, extentsOf, findUnderUsedPacks, type UnderUsedPack } from './live-ratio.ts';
import type { SnapshotPacks } from './snapshot-packs.ts';

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
}

/**
 * Copies what a manifest needs of packs that hold little else into new packs, and returns a manifest that points at the copies;
 * the same one when there was nothing to copy. Nothing existing is touched: the old packs go with the snapshots that name
 * them. A pack that cannot be read stays named, with a warning: a backup does not fail because of what is old.
 */
export async function compactPacks(assembled: AssembledManifest, order: CompactionOrder, tools: RunTools): Promise<AssembledManifest> {
  const old = await readablePacks(order, tools);
  const spare = await findUnderUsedPacks(assembled.output.reader().rows(), old, tools.repository);
  const target = new ChunkPacks(order.target);
  let current = assembled;
  try {
    for (const batch of inBatches(spare)) {
      const copied = await copyBatch(batch, current.output, target, tools);
      const next = rewrite(current.output, batch, copied, order, tools);
      if (current !== assembled) discard(current.output);
      current = next;
    }
    await target.finish();
    return current;
  } catch (error) {
    if (current !== assembled) discard(current.output);
    throw error;
  }
}

/** The old packs that this server can read: it copies nothing from the others, which then stay as long as this snapshot. */
async function readablePacks(
  { old, unit }: CompactionOrder,
  { repository, context }: RunTools,
): Promise<ReadonlyMap<string, ObjectReference>> {
  const readable = new Map<string, ObjectReference>();
  for (const [path, reference] of old) if (await repository.keys.canRead([reference])) readable.set(path, reference);
  const closed = old.size - readable.size;
  if (closed > 0) {
    const message = `${closed} old packs of ${unit} are kept as they are, because this server holds no key to copy from them; a full that reads everything (\`--level full\`) needs none of them`;
    context.reporter.log({ level: 'info', code: 'compaction_skipped', message, affected: [unit] });
  }
  return readable;
}

/** Closes and removes a manifest that is not needed any more. */
export function discard(output: ManifestOutput): void {
  output.close();
  rmSync(output.file, { force: true });
}

function* inBatches(spare: readonly UnderUsedPack[]): Generator<UnderUsedPack[]> {
  let batch: UnderUsedPack[] = [];
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

function numbersOf(batch: readonly UnderUsedPack[]): Map<string, number> {
  return new Map(batch.map(({ reference }, number) => [reference.path, number]));
}

/** Copies the extents of the packs of a batch, reading each frame once. */
async function copyBatch(
  batch: readonly UnderUsedPack[],
  manifest: ManifestOutput,
  target: ChunkPacks,
  tools: RunTools,
): Promise<CopiedExtents> {
  const numbers = numbersOf(batch);
  const table = new CopiedExtents(batch.reduce((sum, { extents }) => sum + extents, 0));
  for (const row of manifest.reader().rows()) {
    for (const extent of extentsOf(row)) {
      const number = numbers.get(extent.pack);
      if (number !== undefined && extent.length <= FRAME_LIMIT / 2) table.add(number, extent);
    }
  }
  table.sort();
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
  batch: readonly UnderUsedPack[],
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
