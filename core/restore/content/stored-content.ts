import { createHash } from 'node:crypto';
import { PackReader } from '../../archive/pack-reader.ts';
import { Failure } from '../../failure.ts';
import type { Content } from '../../manifest/entry.ts';
import type { PackSource } from './pack-cache.ts';

/** Contents alternate between few packs. */
const OPEN_PACKS = 4;
const KEPT_FRAMES = 4;

/**
 * The stored bytes of a file, a frame's worth at a time. A difference from a digest is told at the end of the stretch that has it,
 * so whoever takes the bytes must be able to take all back. Throws `content_missing`, `repository_damaged`, `digest_mismatch`.
 */
export async function* readStoredContent(content: Content, packs: PackSource): AsyncGenerator<Buffer> {
  const open = new Map<string, Promise<PackReader>>();
  if (content.extents.length === 0) throw new Failure('content_missing', 'the snapshot has no content of it');
  const frames = new RecentFrames();
  const whole = createHash('sha256');
  for (const extent of content.extents) {
    const reader = await openPack(extent.pack, packs, open);
    const digest = createHash('sha256');
    for (const { frame, begin, end } of reader.framesOfExtent(extent)) {
      const piece = (await frames.get(extent.pack, frame, reader)).subarray(begin, end);
      digest.update(piece);
      whole.update(piece);
      yield piece;
    }
    if (!digest.digest().equals(extent.digest)) throw mismatch(extent.pack);
  }
  if (!whole.digest().equals(content.digest)) throw mismatch(content.extents[0]!.pack);
}

/** Stretches of a content follow each other in a frame, and alternate between few of them. */
class RecentFrames {
  readonly #frames = new Map<string, Promise<Buffer>>();

  async get(pack: string, frame: number, reader: PackReader): Promise<Buffer> {
    const key = `${frame} ${pack}`;
    const found = this.#frames.get(key) ?? reader.readFrame(frame);
    // The one that was used last goes last.
    this.#frames.delete(key);
    this.#frames.set(key, found);
    const [oldest] = this.#frames.keys();
    if (this.#frames.size > KEPT_FRAMES) this.#frames.delete(oldest!);
    return await found;
  }
}

function openPack(pack: string, packs: PackSource, open: Map<string, Promise<PackReader>>): Promise<PackReader> {
  const known = open.get(pack);
  if (known !== undefined) return known;
  const reader = (async () => {
    const stored = await packs.open(pack);
    if (stored === undefined) throw new Failure('repository_damaged', 'a pack is missing', { affected: [pack] });
    return await PackReader.open(stored.length, stored.read);
  })();
  open.set(pack, reader);
  const [oldest] = open.keys();
  if (open.size > OPEN_PACKS) open.delete(oldest!);
  return reader;
}

function mismatch(pack: string): Failure {
  return new Failure('digest_mismatch', 'stored content differs from its digest', { affected: [pack] });
}
