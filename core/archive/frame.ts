import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { damagedFrame } from './damage.ts';
import { checkFrameStructure } from './frame-structure.ts';

/** A frame is closed when it holds about this many bytes of tar. */
export const FRAME_TARGET = 2 * 1024 * 1024;
/** The most that any frame may hold; a reader refuses more before it allocates anything. */
export const FRAME_LIMIT = 16 * 1024 * 1024;

/** zstd's own default. Level 2 takes four fifths of the time for 6 % more bytes (`docs/adr/0007-frames-and-kept-memory.md`). */
const LEVEL = 3;
/** No frame needs to look back farther than its own beginning. */
const WINDOW_LOG_LIMIT = Math.log2(FRAME_LIMIT);

/** The most bytes that zstd makes of `length` bytes (`ZSTD_compressBound`), with the content checksum. */
export function compressedBound(length: number): number {
  const margin = length < 0x20000 ? (0x20000 - length) >> 11 : 0;
  return length + (length >> 8) + margin + 4;
}

/**
 * One zstd frame (RFC 8878) of whole tar blocks, with its content size and content checksum. The result is a view of a
 * larger buffer: copy it before keeping or transferring it.
 */
export function compressFrame(tar: Buffer): Buffer {
  return zstdCompressSync(tar, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
    pledgedSrcSize: tar.length,
    // Room for the worst case, or else the output is regrown and copied several times.
    chunkSize: Math.max(compressedBound(tar.length), 64),
  });
}

/**
 * The `expectedLength` bytes that were compressed into `frame`. Anything but exactly one intact frame of exactly that
 * content size is `repository_damaged`.
 */
export function decompressFrame(frame: Buffer, expectedLength: number): Buffer {
  if (expectedLength < 1 || expectedLength > FRAME_LIMIT) throw damagedFrame(`a frame of ${expectedLength} bytes is outside the format`);
  // zlib ignores what follows the last frame, and decodes any number of frames as one.
  checkFrameStructure(frame, expectedLength);
  let tar: Buffer;
  try {
    tar = zstdDecompressSync(frame, {
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_LIMIT },
      maxOutputLength: expectedLength,
      chunkSize: Math.max(expectedLength, 64),
    });
  } catch (cause) {
    throw damagedFrame('a frame cannot be decompressed', cause);
  }
  if (tar.length !== expectedLength) throw damagedFrame(`a frame holds ${tar.length} bytes instead of ${expectedLength}`);
  return tar;
}
