import { ACCESS_ACL, DEFAULT_ACL } from '../linux/posix-acl.ts';
import type { ByteString, Xattr } from '../manifest/entry.ts';
import { RECORD_OVERHEAD, writeRecord } from './pax-record.ts';
import { aclText } from './posix-acl.ts';

/** What the keys of attribute records begin with. */
export const XATTR_KEY = 'SCHILY.xattr.';
/** Attributes that are also written as text, and the keys of that. */
export const ACL_KEYS = new Map([
  [ACCESS_ACL, 'SCHILY.acl.access'],
  [DEFAULT_ACL, 'SCHILY.acl.default'],
]);
/** The text of one ACL entry, such as `group:4294967295:rwx,`, for each 8 bytes of its binary form. */
const ACL_TEXT_PER_BYTE = 3;

const CACHED_SETS = 512;
const CACHED_SET_LENGTH = 4096;
const encodedSets = new Map<string, Buffer>();

/** An upper bound of what `writeXattrRecords` writes. */
export function xattrRecordsBound(xattrs: readonly Xattr[]): number {
  let bound = 0;
  for (const { name, value } of xattrs) {
    bound += XATTR_KEY.length + name.length * 3 + value.length + RECORD_OVERHEAD;
    if (ACL_KEYS.has(name)) bound += 'SCHILY.acl.default'.length + value.length * ACL_TEXT_PER_BYTE + RECORD_OVERHEAD;
  }
  return bound;
}

/**
 * Writes every attribute as `SCHILY.xattr.<name>`, and a POSIX ACL also as text: GNU tar and bsdtar take ACLs from the text
 * when asked for ACLs, and from the attribute otherwise. Returns where the records end.
 */
export function writeXattrRecords(target: Buffer, at: number, xattrs: readonly Xattr[]): number {
  if (xattrs.length === 0) return at;
  let length = 0;
  for (const { value } of xattrs) length += value.length;
  if (length > CACHED_SET_LENGTH) return encode(target, at, xattrs);
  // Accounts repeat few sets on thousands of entries.
  const key = setKey(xattrs);
  let records = encodedSets.get(key);
  if (records === undefined) {
    const room = Buffer.allocUnsafe(xattrRecordsBound(xattrs));
    records = Buffer.from(room.subarray(0, encode(room, 0, xattrs)));
    if (encodedSets.size >= CACHED_SETS) encodedSets.clear();
    encodedSets.set(key, records);
  }
  return at + records.copy(target, at);
}

function encode(target: Buffer, at: number, xattrs: readonly Xattr[]): number {
  let end = at;
  for (const { name, value } of xattrs) {
    const aclKey = ACL_KEYS.get(name);
    const text = aclKey === undefined ? undefined : aclText(value);
    if (aclKey !== undefined && text !== undefined) end = writeRecord(target, end, aclKey, text);
    end = writeRecord(target, end, XATTR_KEY + escapeName(name), value);
  }
  return end;
}

/** The key of a record ends at its first `=`, so readers undo this escape. */
function escapeName(name: ByteString): ByteString {
  return name.includes('%') || name.includes('=') ? name.replaceAll('%', '%25').replaceAll('=', '%3D') : name;
}

function setKey(xattrs: readonly Xattr[]): string {
  let key = '';
  for (const { name, value } of xattrs) key += `${name}\0${value.length}\0${value.latin1Slice()}`;
  return key;
}
