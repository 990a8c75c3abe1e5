import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { damaged } from './damage.ts';
import { frameLength } from './frame-length.ts';

const LEVEL = 3;

/** Room for the output at once: growing it in steps costs more than the compression of a small block. */
const OUTPUT_STEP_MAX = 64 * 1024 * 1024;

/** One zstd frame with its content checksum. */
export function compressBlock(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, {
    chunkSize: Math.min(bytes.length + 1024, OUTPUT_STEP_MAX),
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** The contents of exactly one frame, when they are exactly `length` bytes. */
export function decompressBlock(frame: Buffer, length: number, what: string): Buffer {
  // The decoder takes several frames for one, and ignores bytes behind them.
  if (frameLength(frame) !== frame.length) throw damaged(`${what} is not one frame`);
  const bytes = decompress(frame, length, what);
  if (bytes.length !== length) throw damaged(`${what} holds ${bytes.length} bytes instead of ${length}`);
  return bytes;
}

function decompress(frame: Buffer, length: number, what: string): Buffer {
  try {
    return zstdDecompressSync(frame, {
      maxOutputLength: Math.max(length, 1),
      chunkSize: Math.min(Math.max(length, 64) + 64, OUTPUT_STEP_MAX),
    });
  } catch (error) {
    throw damaged(`${what} cannot be decompressed`, error);
  }
}
