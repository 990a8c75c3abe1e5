import { Failure } from '../failure.ts';

const MAGIC = 0xfd2fb528;
const CHECKSUM_LENGTH = 4;
const BLOCK_HEADER_LENGTH = 3;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const BLOCK_CONTENT_LIMIT = 128 * 1024;
/** No frame needs to look back farther than its own beginning. */
const WINDOW_LIMIT = 16 * 1024 * 1024;

/**
 * Walks the block headers of a zstd frame (RFC 8878 §3.1.1) without decoding it: the buffer must hold exactly one frame
 * as this program writes them, with content size and checksum and without dictionary. `repository_damaged` otherwise.
 */
export function checkFrameStructure(frame: Buffer, contentLength: number): void {
  const reason = defectOf(frame, contentLength);
  if (reason !== undefined) throw new Failure('repository_damaged', `not an intact frame: ${reason}`);
}

function defectOf(frame: Buffer, contentLength: number): string | undefined {
  if (frame.length < 6) return 'too short';
  if (frame.readUInt32LE(0) !== MAGIC) return 'wrong magic number';
  const descriptor = frame.readUInt8(4);
  const sizeCode = descriptor >> 6;
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x18) !== 0) return 'unused bits are set';
  if ((descriptor & 0x04) === 0) return 'no content checksum';
  if ((descriptor & 0x03) !== 0) return 'it needs a dictionary';
  if (sizeCode === 0 && !singleSegment) return 'no content size';

  if (!singleSegment && windowOf(frame.readUInt8(5)) > WINDOW_LIMIT) return 'its window is larger than a frame';

  let at = singleSegment ? 5 : 6;
  const sizeLength = sizeCode === 0 ? 1 : 1 << sizeCode;
  if (at + sizeLength > frame.length) return 'cut in its header';
  if (readContentSize(frame, at, sizeLength) !== contentLength) return 'another content size than expected';
  at += sizeLength;

  for (let last = false; !last; ) {
    if (at + BLOCK_HEADER_LENGTH > frame.length) return 'cut in a block header';
    const header = frame.readUIntLE(at, BLOCK_HEADER_LENGTH);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === BLOCK_RESERVED || size > BLOCK_CONTENT_LIMIT) return 'malformed block header';
    at += BLOCK_HEADER_LENGTH + (type === BLOCK_RLE ? 1 : size);
  }
  return at + CHECKSUM_LENGTH === frame.length ? undefined : 'its blocks end elsewhere';
}

/** The size of the window that a descriptor says (RFC 8878 §3.1.1.1.2), in bytes. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readContentSize(frame: Buffer, at: number, length: number): number {
  if (length === 8) return Number(frame.readBigUInt64LE(at));
  // A field of two bytes counts from 256: smaller sizes have the field of one byte.
  return frame.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}
