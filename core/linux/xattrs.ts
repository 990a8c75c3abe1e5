import { getAttributeSync, listAttributesSync, removeAttributeSync, setAttributeSync } from 'fs-xattr';
import type { ByteString, Xattr } from '../manifest/entry.ts';
import { cString, secondCString } from './c-string.ts';
import { lastErrno, libc } from './libc.ts';
import { descriptorPath } from './metadata.ts';
import { check, errorCode, SystemError } from './system-error.ts';

const XATTR_LIST_MAX = 65536;
const XATTR_SIZE_MAX = 65536;
const EBADF = 9;
const EOPNOTSUPP = 95;
const NONE = Buffer.alloc(0);
const ATTEMPTS = 5;

/** Whether the entry has any attribute: most have none, and this asks with a single system call. */
function hasAny(descriptor: number): boolean {
  let size = Number(libc.flistxattr(descriptor, NONE, 0));
  if (size < 0 && lastErrno() === EBADF) {
    // An O_PATH descriptor is reached through /proc only.
    size = Number(libc.listxattr(cString(descriptorPath(descriptor)), NONE, 0));
  }
  if (size >= 0) return size > 0;
  const errno = lastErrno();
  if (errno === EOPNOTSUPP) return false;
  throw new SystemError('flistxattr', errno);
}

/** Names as fs-xattr lists them, or as raw bytes when one is not UTF-8, which fs-xattr would garble. */
function listNames(path: string): { name: ByteString; text: string | undefined }[] {
  const texts = listAttributesSync(path);
  if (!texts.some((text) => text.includes('\u{fffd}'))) {
    return texts.map((text) => ({ name: Buffer.from(text, 'utf8').toString('latin1'), text }));
  }
  const list = Buffer.alloc(XATTR_LIST_MAX);
  const length = check(Number(libc.listxattr(cString(path), list, list.length)), 'listxattr');
  const names = list.latin1Slice(0, length).split('\0').slice(0, -1);
  return names.map((name) => ({ name, text: undefined }));
}

function readValue(path: string, name: ByteString, text: string | undefined): Buffer {
  if (text !== undefined) return getAttributeSync(path, text);
  const value = Buffer.alloc(XATTR_SIZE_MAX);
  const length = check(Number(libc.getxattr(cString(path), secondCString(name), value, value.length)), 'getxattr', name);
  return Buffer.from(value.subarray(0, length));
}

/**
 * All extended attributes of what `descriptor` is open on (any kind; an O_PATH descriptor for links and special files),
 * sorted by name. fs-xattr asks for a value's size and for the value in two calls, so a value that changes in between
 * can come out torn: the caller compares the change time before and after.
 */
export function readXattrs(descriptor: number): Xattr[] {
  if (!hasAny(descriptor)) return [];
  const path = descriptorPath(descriptor);
  for (let attempt = 1; ; attempt++) {
    try {
      const xattrs = listNames(path).map(({ name, text }) => ({ name, value: readValue(path, name, text) }));
      return xattrs.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      const code = errorCode(error);
      if (attempt === ATTEMPTS || (code !== 'ENODATA' && code !== 'ERANGE')) throw error;
    }
  }
}

/** The name as fs-xattr takes it, undefined when it is not UTF-8. */
function asText(name: ByteString): string | undefined {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return text.includes('\u{fffd}') ? undefined : text;
}

/** Sets one attribute through any descriptor. Throws what the file system says: ENOSPC can mean that the inode is full. */
export function writeXattr(descriptor: number, name: ByteString, value: Buffer): void {
  const path = descriptorPath(descriptor);
  const text = asText(name);
  if (text !== undefined && !name.includes('\0')) setAttributeSync(path, text, value);
  else check(libc.setxattr(cString(path), secondCString(name), value, value.length, 0), 'setxattr', name);
}

/** Removes one attribute through any descriptor. */
export function removeXattr(descriptor: number, name: ByteString): void {
  const path = descriptorPath(descriptor);
  const text = asText(name);
  if (text !== undefined) removeAttributeSync(path, text);
  else check(libc.removexattr(cString(path), secondCString(name)), 'removexattr', name);
}
