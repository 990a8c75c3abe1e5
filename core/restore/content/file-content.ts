import { createHash, hash } from 'node:crypto';
import { Failure } from '../../failure.ts';
import type { Content, Entry, Extent } from '../../manifest/entry.ts';
import type { FrameSupply } from './frame-supply.ts';

function mismatch(): Failure {
  return new Failure('digest_mismatch', 'the stored content differs from its recorded SHA-256');
}

/** How many bytes of content are stored for an entry: its size, or the sum of a sparse file's data ranges. */
function storedLength(entry: Entry, content: Content): number {
  return content.sparse?.reduce((sum, { length }) => sum + length, 0) ?? entry.size;
}

function checkLength(entry: Entry, content: Content): void {
  const length = content.extents.reduce((sum, extent) => sum + extent.length, 0);
  if (length !== storedLength(entry, content)) throw new Failure('content_missing', 'the stored content has another length than the entry');
}

function contentOf(entry: Entry): Content {
  if (entry.content === undefined) throw new Failure('content_missing', 'the snapshot has no content for this file');
  checkLength(entry, entry.content);
  return entry.content;
}

/** The verified content of an entry whose only extent lies in the decompressed frame `tar`. */
export function contentInFrame(entry: Entry, tar: Buffer): Buffer {
  const content = contentOf(entry);
  const extent = content.extents[0] as Extent;
  const data = tar.subarray(extent.offset, extent.offset + extent.length);
  if (data.length !== extent.length) throw new Failure('repository_damaged', 'the frame ends before the content');
  const digest = hash('sha256', data, 'buffer');
  if (!digest.equals(content.digest) || !digest.equals(extent.digest)) throw mismatch();
  return data;
}

/**
 * The content of an entry, a part of a frame at a time, each handed on before the extent that it belongs to is verified: what was
 * written of it counts only when this ends without a failure. The next frame is sent for while one is used.
 */
export async function* contentInPieces(entry: Entry, supply: FrameSupply): AsyncGenerator<Buffer> {
  const content = contentOf(entry);
  const whole = createHash('sha256');
  for (const [index, extent] of content.extents.entries()) {
    const part = createHash('sha256');
    for await (const piece of extentInPieces(extent, content.extents[index + 1], supply)) {
      part.update(piece);
      if (content.extents.length > 1) whole.update(piece);
      yield piece;
    }
    if (!part.digest().equals(extent.digest)) throw mismatch();
  }
  const digest = content.extents.length === 1 ? (content.extents[0] as Extent).digest : whole.digest();
  if (!digest.equals(content.digest)) throw mismatch();
}

async function* extentInPieces(extent: Extent, following: Extent | undefined, supply: FrameSupply): AsyncGenerator<Buffer> {
  let { frame, offset: begin, length: left } = extent;
  while (left > 0) {
    const tar = await supply.get(extent.pack, frame);
    const end = Math.min(tar.length, begin + left);
    if (end <= begin) throw new Failure('repository_damaged', 'an extent begins behind the end of its frame');
    left -= end - begin;
    if (left > 0) supply.expect(extent.pack, frame + 1);
    else if (following !== undefined) supply.expect(following.pack, following.frame);
    yield tar.subarray(begin, end);
    begin = 0;
    frame++;
  }
}
