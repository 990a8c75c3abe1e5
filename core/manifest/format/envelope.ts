import { Failure } from '../../failure.ts';
import { damaged } from './damage.ts';
import { INDEX_BYTES_MAX } from './limits.ts';

/** The version of this format; a reader refuses a newer one. */
const MANIFEST_VERSION = 1;

export const HEADER_BYTES = 24;
export const FOOTER_BYTES = 40;

/** One of the sixteen magic numbers of a skippable frame (RFC 8878, 3.1.2): every zstd decoder passes over it. */
const SKIPPABLE = 0x184d_2a5b;
const HEADER_MAGIC = Buffer.from('APBKMANI', 'latin1');
const FOOTER_MAGIC = Buffer.from('APBKMEND', 'latin1');

/** Where the index lies, and how long it is when decompressed, in bytes. */
export interface IndexPlace {
  readonly offset: number;
  readonly length: number;
  readonly contentLength: number;
}

/** The first bytes of a manifest: a skippable frame with its magic and version. */
export function writeHeader(): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  writeSkippable(header);
  HEADER_MAGIC.copy(header, 8);
  header.writeUInt32LE(MANIFEST_VERSION, 16);
  return header;
}

/** `isRecorded` says that a record names this manifest: a newer version is damage then, or the record would be newer, too. */
export function checkHeader(header: Buffer, isRecorded: boolean): void {
  if (!HEADER_MAGIC.equals(header.subarray(8, 16))) throw damaged('it does not begin as one');
  checkVersion(header.readUInt32LE(16), isRecorded);
  if (!header.equals(writeHeader())) throw damaged('its header is altered');
}

/** The last bytes of a manifest: a skippable frame that says where the index is. */
export function writeFooter(index: IndexPlace): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  writeSkippable(footer);
  footer.writeBigUInt64LE(BigInt(index.offset), 8);
  footer.writeUInt32LE(index.length, 16);
  footer.writeUInt32LE(index.contentLength, 20);
  footer.writeUInt32LE(MANIFEST_VERSION, 24);
  FOOTER_MAGIC.copy(footer, 32);
  return footer;
}

/** `size` is that of the whole manifest; the index must lie between the header and the footer and touch the footer. */
export function readFooter(footer: Buffer, size: number, isRecorded: boolean): IndexPlace {
  if (!FOOTER_MAGIC.equals(footer.subarray(32, 40))) throw damaged('it does not end as one');
  checkVersion(footer.readUInt32LE(24), isRecorded);
  const index = { offset: Number(footer.readBigUInt64LE(8)), length: footer.readUInt32LE(16), contentLength: footer.readUInt32LE(20) };
  if (index.offset < HEADER_BYTES || index.offset + index.length !== size - FOOTER_BYTES) throw damaged('the index lies outside');
  if (index.contentLength > INDEX_BYTES_MAX) throw damaged(`its index is larger than ${INDEX_BYTES_MAX} bytes`);
  if (!footer.equals(writeFooter(index))) throw damaged('its footer is altered');
  return index;
}

function writeSkippable(frame: Buffer): void {
  frame.writeUInt32LE(SKIPPABLE, 0);
  frame.writeUInt32LE(frame.length - 8, 4);
}

function checkVersion(version: number, isRecorded: boolean): void {
  if (version > MANIFEST_VERSION && !isRecorded)
    throw new Failure('repository_newer', `manifest: format version ${version}, known is ${MANIFEST_VERSION}`);
  if (version !== MANIFEST_VERSION) throw damaged(`there is no format version ${version}`);
}
