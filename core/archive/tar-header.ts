import { isAscii, isUtf8 } from 'node:buffer';
import { Failure } from '../failure.ts';
import type { ByteString, DataRange, Entry } from '../manifest/entry.ts';
import { RECORD_OVERHEAD, writeRecord } from './pax-record.ts';
import { encodeSparseMap, sparseMapBound } from './sparse-map.ts';
import { BLOCK, ID_LIMIT, NAME_LENGTH, NUMBER_LIMIT, TypeFlag, writeUstarHeader } from './ustar.ts';
import { writeXattrRecords, xattrRecordsBound } from './xattr-records.ts';

/** The most bytes of pax records that one member may have; a reader refuses more. */
export const PAX_RECORDS_LIMIT = 16 * 1024 * 1024;

/** The name of every pax header, as good as any: only readers that know no pax see it. */
const PAX_HEADER_NAME = '././@PaxHeader';

/** Records of numbers, times, charset and the sparse file's own, all together. */
const FIXED_RECORDS_BOUND = 512;

const NANOSECONDS = 1_000_000_000n;

const TYPE_FLAGS = {
  file: TypeFlag.file,
  directory: TypeFlag.directory,
  symlink: TypeFlag.symlink,
  fifo: TypeFlag.fifo,
  'character-device': TypeFlag.characterDevice,
  'block-device': TypeFlag.blockDevice,
} as const;

export interface TarHeaderOptions {
  /** Makes the member a hard link to the member of this path, which comes before it. */
  readonly linkTo?: ByteString;
  /** The data ranges of a sparse file (see `alignDataRanges`); the map that precedes them is part of the header then. */
  readonly sparse?: readonly DataRange[];
}

/** An upper bound of the bytes that `writeTarHeader` writes for the entry. */
export function tarHeaderLengthBound(entry: Entry, sparse?: readonly DataRange[], linkTo?: ByteString): number {
  const names = entry.path.length + 1 + (linkTo ?? entry.linkTarget ?? '').length + 2 * ('linkpath'.length + RECORD_OVERHEAD);
  const records = names + FIXED_RECORDS_BOUND + xattrRecordsBound(entry.xattrs);
  const map = sparse === undefined ? 0 : sparseMapBound(sparse.length) + entry.path.length;
  return 2 * BLOCK + Math.ceil(records / BLOCK) * BLOCK + Math.ceil(map / BLOCK) * BLOCK;
}

/**
 * Writes everything that precedes the content of the entry's tar member at `offset`, in whole 512-byte blocks, and returns
 * where the content begins: a pax extended header when the fields of ustar are too narrow, the ustar header, the map of a
 * sparse file. `docs/format/pack.md` says which record is written when. Sockets have no tar member.
 */
export function writeTarHeader(target: Buffer, offset: number, entry: Entry, options: TarHeaderOptions = {}): number {
  const { linkTo } = options;
  if (entry.kind === 'socket') throw new Failure('internal', 'tar has no member type for sockets');
  const sparse = linkTo === undefined ? options.sparse : undefined;
  const deviceNumber = linkTo === undefined ? entry.deviceNumber : undefined;
  const map = sparse === undefined ? undefined : encodeSparseMap(sparse, entry.size);
  const path = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const linkPath = linkTo ?? entry.linkTarget ?? '';
  const size = storedSize(entry, linkTo, sparse, map);
  const recordsStart = offset + BLOCK;

  let end = recordsStart;
  const pathFits = fits(path);
  const linkPathFits = fits(linkPath);
  if (!(pathFits && linkPathFits) && !(isUnicode(path) && isUnicode(linkPath))) end = writeRecord(target, end, 'hdrcharset', 'BINARY');
  if (sparse !== undefined) end = writeSparseRecords(target, end, entry);
  else if (!pathFits) end = writeRecord(target, end, 'path', path);
  if (!linkPathFits) end = writeRecord(target, end, 'linkpath', linkPath);
  if (size > NUMBER_LIMIT) end = writeRecord(target, end, 'size', String(size));
  if (entry.uid > ID_LIMIT) end = writeRecord(target, end, 'uid', String(entry.uid));
  if (entry.gid > ID_LIMIT) end = writeRecord(target, end, 'gid', String(entry.gid));
  const seconds = Number(entry.mtime / NANOSECONDS);
  const secondsFit = seconds >= 0 && seconds <= NUMBER_LIMIT;
  if (!secondsFit || entry.mtime % NANOSECONDS !== 0n) end = writeRecord(target, end, 'mtime', decimalSeconds(entry.mtime));
  // A hard link shares the attributes of the member that it points at.
  if (linkTo === undefined) end = writeXattrRecords(target, end, entry.xattrs);

  let at = offset;
  if (end > recordsStart) at = finishPaxHeader(target, offset, end, entry.path);
  writeUstarHeader(target, at, {
    name: path,
    mode: entry.mode,
    uid: entry.uid > ID_LIMIT ? 0 : entry.uid,
    gid: entry.gid > ID_LIMIT ? 0 : entry.gid,
    size: size > NUMBER_LIMIT ? 0 : size,
    mtime: secondsFit ? seconds : 0,
    typeFlag: linkTo === undefined ? TYPE_FLAGS[entry.kind] : TypeFlag.hardLink,
    linkName: linkPath,
    major: deviceNumber?.major ?? 0,
    minor: deviceNumber?.minor ?? 0,
  });
  at += BLOCK;
  return map === undefined ? at : at + map.copy(target, at);
}

/** The bytes of `writeTarHeader` in a buffer of their own. */
export function tarHeader(entry: Entry, options: TarHeaderOptions = {}): Buffer {
  const target = Buffer.allocUnsafe(tarHeaderLengthBound(entry, options.sparse, options.linkTo));
  return Buffer.from(target.subarray(0, writeTarHeader(target, 0, entry, options)));
}

/** How many zero bytes follow a content of `length` bytes, up to the next tar block. */
export function padding(length: number): number {
  return (BLOCK - (length % BLOCK)) % BLOCK;
}

function storedSize(
  entry: Entry,
  linkTo: ByteString | undefined,
  sparse: readonly DataRange[] | undefined,
  map: Buffer | undefined,
): number {
  if (entry.kind !== 'file' || linkTo !== undefined) return 0;
  if (sparse === undefined || map === undefined) return entry.size;
  return sparse.reduce((sum, { length }) => sum + length, map.length);
}

/** Whether every reader understands the name in its ustar field. */
function fits(name: ByteString): boolean {
  if (name.length > NAME_LENGTH) return false;
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) > 0x7f) return false;
  return true;
}

function isUnicode(name: ByteString): boolean {
  const bytes = Buffer.from(name, 'latin1');
  return isAscii(bytes) || isUtf8(bytes);
}

function writeSparseRecords(target: Buffer, at: number, entry: Entry): number {
  let end = writeRecord(target, at, 'GNU.sparse.major', '1');
  end = writeRecord(target, end, 'GNU.sparse.minor', '0');
  end = writeRecord(target, end, 'GNU.sparse.name', entry.path);
  return writeRecord(target, end, 'GNU.sparse.realsize', String(entry.size));
}

/** Seconds with nine decimals; the sign belongs to the whole: half a second before 1970 is `-0.500000000`. */
function decimalSeconds(nanoseconds: bigint): string {
  const negative = nanoseconds < 0n;
  const digits = (negative ? -nanoseconds : nanoseconds).toString().padStart(10, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** Pads the records that end at `end` and puts their header before them; returns where the next header belongs. */
function finishPaxHeader(target: Buffer, offset: number, end: number, path: ByteString): number {
  const length = end - offset - BLOCK;
  if (length > PAX_RECORDS_LIMIT) {
    throw new Failure('unsupported', 'the extended attributes of one entry are too long for a tar header', { affected: [path] });
  }
  const padded = end + padding(length);
  target.fill(0, end, padded);
  writeUstarHeader(target, offset, {
    name: PAX_HEADER_NAME,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: length,
    mtime: 0,
    typeFlag: TypeFlag.pax,
    linkName: '',
    major: 0,
    minor: 0,
  });
  return padded;
}
