import type { ByteString, DataRange, Entry, EntryKind, Xattr } from '../manifest/entry.ts';
import { damagedTar } from './damage.ts';
import { aclText } from './posix-acl.ts';
import { ID_LIMIT, NAME_LENGTH, NUMBER_LIMIT, TypeFlag, type UstarHeader } from './ustar.ts';
import { ACL_KEYS, XATTR_KEY } from './xattr-records.ts';

/** A member of a pack as a reader of tar sees it. */
export interface TarMember {
  readonly path: ByteString;
  readonly kind: Exclude<EntryKind, 'socket'> | 'hard-link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the file, holes included; 0 for anything else. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Target of a symlink, or path of the member that a hard link points at. */
  readonly linkPath: ByteString;
  readonly deviceNumber: NonNullable<Entry['deviceNumber']>;
  readonly xattrs: readonly Xattr[];
  /** Where its stored bytes begin, counted from the archive's beginning. */
  readonly contentOffset: number;
  /** Of the stored bytes: of a sparse file its data ranges, without the map. */
  readonly contentLength: number;
  readonly sparse?: readonly DataRange[];
}

/** What the headers of a member say, before the map of a sparse file is read. */
export interface MemberHeader extends Omit<TarMember, 'contentOffset' | 'contentLength' | 'sparse'> {
  /** Bytes that follow the headers, without padding: stored bytes, and the map of a sparse file before them. */
  readonly bodyLength: number;
  readonly isSparse: boolean;
}

const KINDS = new Map<number, TarMember['kind']>([
  [TypeFlag.file, 'file'],
  [TypeFlag.hardLink, 'hard-link'],
  [TypeFlag.symlink, 'symlink'],
  [TypeFlag.characterDevice, 'character-device'],
  [TypeFlag.blockDevice, 'block-device'],
  [TypeFlag.directory, 'directory'],
  [TypeFlag.fifo, 'fifo'],
]);

/**
 * Puts a ustar header and the records before it together. Every record must be one that `docs/format/pack.md` names and
 * agree with the header; `repository_damaged` otherwise.
 */
export function memberHeader(ustar: UstarHeader, records: ReadonlyMap<ByteString, Buffer>): MemberHeader {
  const kind = KINDS.get(ustar.typeFlag);
  if (kind === undefined) throw damagedTar(`unknown type of member ${ustar.typeFlag}`);
  const unread = new Map(records);
  const text = (key: string): ByteString | undefined => {
    const value = unread.get(key)?.latin1Slice();
    unread.delete(key);
    if (value === '' || value?.includes('\0')) throw damagedTar(`the pax record ${key} is empty or has a NUL`);
    return value;
  };
  const charset = text('hdrcharset');
  if (charset !== undefined && charset !== 'BINARY') throw damagedTar('unknown character set of names');
  const sparse = sparseFields(text);
  if (sparse !== undefined && kind !== 'file') throw damagedTar('something but a file is sparse');
  const name = wider('path', sparse?.name ?? text('path'), ustar.name);
  const linkPath = wider('linkpath', text('linkpath'), ustar.linkName);
  const bodyLength = wideNumber('size', text('size'), ustar.size, NUMBER_LIMIT);
  const header = {
    path: checkPath(name, kind === 'directory'),
    kind,
    mode: ustar.mode,
    uid: wideNumber('uid', text('uid'), ustar.uid, ID_LIMIT),
    gid: wideNumber('gid', text('gid'), ustar.gid, ID_LIMIT),
    size: sparse?.size ?? bodyLength,
    mtime: nanoseconds(text('mtime'), ustar.mtime),
    linkPath,
    deviceNumber: { major: ustar.major, minor: ustar.minor },
    bodyLength,
    isSparse: sparse !== undefined,
    xattrs: takeXattrs(unread),
  };
  const [unknown] = unread.keys();
  if (unknown !== undefined) throw damagedTar(`unknown pax record ${JSON.stringify(unknown)}`);
  checkKind(header);
  return header;
}

function checkKind({ kind, mode, bodyLength, linkPath, deviceNumber }: MemberHeader): void {
  if (mode > 0o7777) throw damagedTar('a mode has more than 12 bits');
  if (bodyLength > 0 && kind !== 'file') throw damagedTar(`a ${kind} with content`);
  if ((linkPath !== '') !== (kind === 'symlink' || kind === 'hard-link')) throw damagedTar(`a ${kind} with a wrong link path`);
  if (kind === 'hard-link') checkPath(linkPath, false);
  const isDevice = kind === 'character-device' || kind === 'block-device';
  if (!isDevice && (deviceNumber.major > 0 || deviceNumber.minor > 0)) throw damagedTar(`a ${kind} with a device number`);
}

/** Only a directory ends with a slash, and no name leads out of the folder that it is extracted into. */
function checkPath(name: ByteString, isDirectory: boolean): ByteString {
  if (name.endsWith('/') !== isDirectory) throw damagedTar('a name does not suit its type of member');
  const path = isDirectory ? name.slice(0, -1) : name;
  for (const component of path.split('/')) {
    if (component === '' || component === '.' || component === '..') throw damagedTar(`an unsafe name ${JSON.stringify(name)}`);
  }
  return path;
}

/** The record's name, of which the header's field has the beginning. */
function wider(key: string, record: ByteString | undefined, field: ByteString): ByteString {
  if (record === undefined) return field;
  if (record.slice(0, NAME_LENGTH) !== field) throw damagedTar(`the pax record ${key} contradicts its header`);
  return record;
}

/** A number stands in a record exactly when it is too large for its field, which is 0 then. */
function wideNumber(key: string, record: string | undefined, field: number, limit: number): number {
  if (record === undefined) return field;
  const value = decimal(record);
  if (field !== 0 || value <= limit) throw damagedTar(`the pax record ${key} contradicts its header`);
  return value;
}

function decimal(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || String(value) !== text) throw damagedTar(`not a number: ${JSON.stringify(text)}`);
  return value;
}

function nanoseconds(record: string | undefined, seconds: number): bigint {
  if (record === undefined) return BigInt(seconds) * 1_000_000_000n;
  const sign = record.startsWith('-') ? -1n : 1n;
  const [whole = '', fraction = '', rest] = (sign < 0n ? record.slice(1) : record).split('.');
  if (rest !== undefined || fraction.length !== 9) throw damagedTar(`not a time: ${JSON.stringify(record)}`);
  return sign * (wholeSeconds(whole) * 1_000_000_000n + BigInt(decimal(fraction.replace(/^0{1,8}/, ''))));
}

/** Seconds of a time as a file system has it: 63 bits and a sign, more than a number of JavaScript holds exactly. */
function wholeSeconds(text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) throw damagedTar(`not a number: ${JSON.stringify(text)}`);
  return BigInt(text);
}

function sparseFields(text: (key: string) => ByteString | undefined): { name: ByteString; size: number } | undefined {
  const major = text('GNU.sparse.major');
  const minor = text('GNU.sparse.minor');
  const name = text('GNU.sparse.name');
  const size = text('GNU.sparse.realsize');
  if (major === undefined && minor === undefined && name === undefined && size === undefined) return undefined;
  if (major !== '1' || minor !== '0' || name === undefined || size === undefined) throw damagedTar('unknown kind of sparse file');
  return { name, size: decimal(size) };
}

/** Takes all attributes out of the records. The text of an ACL must say what its binary form says. */
function takeXattrs(records: Map<ByteString, Buffer>): Xattr[] {
  const xattrs: Xattr[] = [];
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_KEY)) continue;
    records.delete(key);
    const name = unescapeName(key.slice(XATTR_KEY.length));
    xattrs.push({ name, value });
    const aclKey = ACL_KEYS.get(name);
    if (aclKey === undefined) continue;
    if (records.get(aclKey)?.latin1Slice() !== aclText(value)) throw damagedTar(`${aclKey} contradicts ${name}`);
    records.delete(aclKey);
  }
  return xattrs;
}

function unescapeName(escaped: ByteString): ByteString {
  const name = escaped.replaceAll('%3D', '=').replaceAll('%25', '%');
  if (name === '' || name.includes('\0')) throw damagedTar('an attribute without a proper name');
  return name;
}
