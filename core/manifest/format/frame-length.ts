const MAGIC = 0xfd2fb528;
const BLOCK_HEADER = 3;
const BLOCK_RLE = 1;
const CHECKSUM = 4;
const DICTIONARY_ID = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];

/**
 * How many bytes the ordinary zstd frame (RFC 8878, 3.1.1) takes that a buffer begins with, by the headers of its blocks; undefined when it begins with
 * anything else, or ends before its frame does. Decoders take several frames for one, and pass over skippable ones.
 */
export function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = bytes[4] as number;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = isSingleSegment && descriptor >> 6 === 0 ? 1 : (CONTENT_SIZE[descriptor >> 6] as number);
  let at = 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID[descriptor & 3] as number) + contentSize;
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER > bytes.length) return undefined;
    const header = bytes.readUIntLE(at, BLOCK_HEADER);
    isLast = (header & 1) === 1;
    at += BLOCK_HEADER + (((header >> 1) & 3) === BLOCK_RLE ? 1 : header >> 3);
  }
  at += (descriptor & 4) === 0 ? 0 : CHECKSUM;
  return at > bytes.length ? undefined : at;
}
