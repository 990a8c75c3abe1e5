import { getAttributeSync, listAttributesSync, removeAttributeSync, setAttributeSync } from 'fs-xattr';
import type { ByteString, Xattr } from '../manifest/entry.ts';
import { cString, secondCString } from './c-string.ts';
import { callOn } from './descriptor.ts';
import { lastErrno, libc } from './libc.ts';
import { check, errorCode, SystemError } from './system-error.ts';

const XATTR_LIST_MAX = 65536;
const XATTR_SIZE_MAX = 65536;
const ENODATA = 61;
const EOPNOTSUPP = 95;
const ATTEMPTS = 5;

const list = Buffer.alloc(XATTR_LIST_MAX);
const room = Buffer.alloc(XATTR_SIZE_MAX);

/**
 * All extended attributes of what `descriptor` is open on (any kind; an O_PATH descriptor for links and special files),
 * sorted by name. Of an O_PATH descriptor a value that changes meanwhile can come out torn, because its size and the value
 * itself are asked for in two calls: the caller compares the change time before and after.
 */
export function readXattrs(descriptor: number): Xattr[] {
  return readXattrsUpTo(descriptor, Number.POSITIVE_INFINITY).xattrs;
}

/**
 * The same, of at most so many bytes of names and values. What the kernel acts on (ACLs, capabilities, labels) comes before `user.*`,
 * of which a file system may take hundreds of megabytes for one file.
 */
export function readXattrsUpTo(descriptor: number, bytes: number): { xattrs: Xattr[]; isComplete: boolean } {
  const length = callOn(descriptor, () => Number(libc.flistxattr(descriptor, list, list.length)), readThroughPath);
  if (typeof length !== 'number') return { xattrs: length, isComplete: true };
  if (length === 0 || isUnsupported(length)) return { xattrs: [], isComplete: true };
  const xattrs: Xattr[] = [];
  let left = bytes;
  for (const name of kernelsFirst(namesIn(check(length, 'flistxattr')))) {
    const value = readValue(descriptor, name);
    if (value === undefined) continue;
    left -= name.length + value.length;
    if (left < 0) return { xattrs: sortByName(xattrs), isComplete: false };
    xattrs.push({ name, value });
  }
  return { xattrs: sortByName(xattrs), isComplete: true };
}

function kernelsFirst(names: ByteString[]): ByteString[] {
  if (names.length < 2) return names;
  const isUsers = (name: ByteString): boolean => name.startsWith('user.');
  return [...names.filter((name) => !isUsers(name)), ...names.filter(isUsers)];
}

function isUnsupported(result: number): boolean {
  return result < 0 && lastErrno() === EOPNOTSUPP;
}

function namesIn(length: number): ByteString[] {
  return list.latin1Slice(0, length - 1).split('\0');
}

/** Undefined when the attribute has gone since it was listed. */
function readValue(descriptor: number, name: ByteString): Buffer | undefined {
  const length = Number(libc.fgetxattr(descriptor, cString(name), room, room.length));
  if (length < 0 && lastErrno() === ENODATA) return undefined;
  return copyOfRoom(check(length, 'fgetxattr', name));
}

function copyOfRoom(length: number): Buffer {
  return Buffer.from(room.subarray(0, length));
}

function sortByName(xattrs: Xattr[]): Xattr[] {
  if (xattrs.length < 2) return xattrs;
  // A file system may list one twice.
  return xattrs.sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }, index) => name !== xattrs[index - 1]?.name);
}

/** By fs-xattr, unless a name is not UTF-8, which fs-xattr would garble. Most have no attribute: one call tells. */
function readThroughPath(path: ByteString): Xattr[] {
  const size = Number(libc.listxattr(cString(path), list, 0));
  if (size === 0 || isUnsupported(size)) return [];
  check(size, 'listxattr');
  for (let attempt = 1; ; attempt++) {
    try {
      const texts = listAttributesSync(path);
      if (texts.some(isGarbled)) return sortByName(readRaw(path));
      return sortByName(texts.map((text) => ({ name: Buffer.from(text, 'utf8').toString('latin1'), value: getAttributeSync(path, text) })));
    } catch (error) {
      const refused = asRefusal(error);
      const code = errorCode(refused);
      if (attempt === ATTEMPTS || (code !== 'ENODATA' && code !== 'ERANGE')) throw refused;
    }
  }
}

/** fs-xattr has a name for few errors, but the number of all. */
function asRefusal(error: unknown): unknown {
  const errno = (error as { errno?: unknown } | null)?.errno;
  return typeof errno === 'number' ? new SystemError('getxattr', Math.abs(errno)) : error;
}

function isGarbled(text: string): boolean {
  return text.includes('\u{fffd}');
}

function readRaw(path: ByteString): Xattr[] {
  const length = check(Number(libc.listxattr(cString(path), list, list.length)), 'listxattr');
  return namesIn(length).map((name) => {
    const size = check(Number(libc.getxattr(cString(path), secondCString(name), room, room.length)), 'getxattr', name);
    return { name, value: copyOfRoom(size) };
  });
}

/** The name as fs-xattr takes it, undefined when it is not UTF-8. */
function asText(name: ByteString): string | undefined {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return isGarbled(text) ? undefined : text;
}

/** Sets one attribute through any descriptor. Throws what the file system says: ENOSPC can mean that the inode is full. */
export function writeXattr(descriptor: number, name: ByteString, value: Buffer): void {
  const direct = (): number => libc.fsetxattr(descriptor, cString(name), value, value.length, 0);
  const result = callOn(descriptor, direct, (path) => {
    const text = asText(name);
    if (text === undefined) return libc.setxattr(cString(path), secondCString(name), value, value.length, 0);
    setAttributeSync(path, text, value);
    return 0;
  });
  check(result, 'setxattr', name);
}

/** Removes one attribute through any descriptor. */
export function removeXattr(descriptor: number, name: ByteString): void {
  const direct = (): number => libc.fremovexattr(descriptor, cString(name));
  const result = callOn(descriptor, direct, (path) => {
    const text = asText(name);
    if (text === undefined) return libc.removexattr(cString(path), secondCString(name));
    removeAttributeSync(path, text);
    return 0;
  });
  check(result, 'removexattr', name);
}
