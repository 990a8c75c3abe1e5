import { asFailure } from '../failure.ts';
import { damagedPack } from './damage.ts';
import { compressedBound, FRAME_LIMIT } from './frame.ts';

const SKIPPABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const SKIPPABLE_HEADER_LENGTH = 8;
const ENTRY_LENGTH = 8;
const FOOTER_LENGTH = 9;
const BLOCK = 512;
/** What is read at first, in bytes: the table of a usual pack, so that a distant one is asked once. */
const USUAL_TAIL = 8 * 1024;

/** The most frames of one pack, so that a table of hostile length is refused before it is read: 4 TiB in frames of 4 MiB. */
export const FRAME_COUNT_LIMIT = 1 << 20;

/** Where one frame lies in its pack. */
export interface FramePlace {
  /** Of the frame's first byte in the pack. */
  readonly offset: number;
  /** Compressed, in bytes. */
  readonly length: number;
  readonly decompressedLength: number;
}

/** Exactly `length` bytes of the pack from `offset`. */
export type ReadRange = (offset: number, length: number) => Promise<Buffer>;

/** Compressed and decompressed length of each frame, in order. */
export interface FrameLengths {
  readonly compressed: Uint32Array;
  readonly decompressed: Uint32Array;
}

/**
 * The zstd seek table that closes a pack (zstd seekable format 0.1.0): a skippable frame of one pair of lengths a frame,
 * without per-frame checksums because each frame carries its own.
 */
export function encodeSeekTable(frames: readonly { readonly length: number; readonly decompressedLength: number }[]): Buffer {
  const table = Buffer.alloc(tableLength(frames.length));
  table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  table.writeUInt32LE(table.length - SKIPPABLE_HEADER_LENGTH, 4);
  let at = SKIPPABLE_HEADER_LENGTH;
  for (const { length, decompressedLength } of frames) {
    table.writeUInt32LE(length, at);
    table.writeUInt32LE(decompressedLength, at + 4);
    at += ENTRY_LENGTH;
  }
  table.writeUInt32LE(frames.length, at);
  // The descriptor byte stays 0: no checksums, and its other bits are reserved.
  table.writeUInt32LE(SEEKABLE_MAGIC, at + 5);
  return table;
}

/**
 * Reads the seek table from the end of a pack of `packSize` bytes. Nothing in it is believed: the frames must fill the
 * pack up to the table exactly and keep the limits of the format, or the pack is `repository_damaged`.
 */
export async function readSeekTable(packSize: number, readRange: ReadRange): Promise<FrameLengths> {
  if (packSize < tableLength(1)) throw damagedPack('too short for a seek table');
  const tail = await readTail(packSize, readRange);
  const footer = tail.subarray(-FOOTER_LENGTH);
  if (footer.readUInt32LE(5) !== SEEKABLE_MAGIC) throw damagedPack('no seek table at its end');
  if (footer.readUInt8(4) !== 0) throw damagedPack('unknown kind of seek table');
  const count = footer.readUInt32LE(0);
  if (count < 1 || count > FRAME_COUNT_LIMIT || tableLength(count) > packSize) throw damagedPack(`a seek table of ${count} frames`);

  const tableStart = packSize - tableLength(count);
  const isHere = tail.length >= tableLength(count);
  const table = isHere ? tail.subarray(-tableLength(count)) : await readRange(tableStart, tableLength(count) - FOOTER_LENGTH);
  if (table.readUInt32LE(0) !== SKIPPABLE_MAGIC || table.readUInt32LE(4) !== tableLength(count) - SKIPPABLE_HEADER_LENGTH) {
    throw damagedPack('the seek table does not begin where its count says');
  }
  const lengths = { compressed: new Uint32Array(count), decompressed: new Uint32Array(count) };
  let end = 0;
  for (let frame = 0; frame < count; frame++) {
    const at = SKIPPABLE_HEADER_LENGTH + frame * ENTRY_LENGTH;
    const compressed = table.readUInt32LE(at);
    const decompressed = table.readUInt32LE(at + 4);
    checkLengths(compressed, decompressed, frame);
    lengths.compressed[frame] = compressed;
    lengths.decompressed[frame] = decompressed;
    end += compressed;
  }
  if (end !== tableStart) throw damagedPack(`its frames end at ${end} instead of ${tableStart}`);
  return lengths;
}

/** The end of the pack. Where something before the table cannot be read, that is no reason not to read the table. */
async function readTail(packSize: number, readRange: ReadRange): Promise<Buffer> {
  const length = Math.min(packSize, USUAL_TAIL);
  try {
    return await readRange(packSize - length, length);
  } catch (error) {
    if (asFailure(error).code !== 'repository_damaged') throw error;
    return await readRange(packSize - FOOTER_LENGTH, FOOTER_LENGTH);
  }
}

function checkLengths(compressed: number, decompressed: number, frame: number): void {
  const possible = decompressed > 0 && decompressed <= FRAME_LIMIT && decompressed % BLOCK === 0;
  if (!possible || compressed === 0 || compressed > compressedBound(decompressed)) {
    throw damagedPack(`frame ${frame} has impossible lengths (${compressed}, ${decompressed})`);
  }
}

function tableLength(count: number): number {
  return SKIPPABLE_HEADER_LENGTH + count * ENTRY_LENGTH + FOOTER_LENGTH;
}
