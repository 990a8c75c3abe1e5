import type { ByteString } from '../manifest/entry.ts';
import { closeDescriptor, openTrustedDirectory, openUnnamed } from './files.ts';
import { errorCode } from './system-error.ts';
import { readXattrs, writeXattr } from './xattrs.ts';

/** `user::rw-,user:0:r--,group::r--,mask::r--,other::---` as the kernel takes it: only a named user makes it more than a mode. */
const ACCESS_LIST = Buffer.from(
  '02000000010006 00ffffffff 0200040000000000 04000400ffffffff 10000400ffffffff 20000000ffffffff'.replaceAll(' ', ''),
  'hex',
);

/** What the file system of a folder, and this process, can do with attributes; the error's name where they cannot. */
export interface AttributeSupport {
  readonly trusted: string | undefined;
  readonly accessLists: string | undefined;
}

/**
 * Tries both on a file without a name, so that nothing is left behind. Undefined where the file system has no such files. Throws what the
 * system says of the folder.
 */
export function probeAttributes(folder: ByteString): AttributeSupport | undefined {
  const directory = openTrustedDirectory(folder);
  try {
    const file = openUnnamed(directory, 0o600);
    if (file === undefined) return undefined;
    try {
      return {
        trusted: problemWith(file, 'trusted.apiscp-backup.probe', Buffer.from('y')),
        accessLists: problemWith(file, 'system.posix_acl_access', ACCESS_LIST),
      };
    } finally {
      closeDescriptor(file);
    }
  } finally {
    closeDescriptor(directory);
  }
}

function problemWith(file: number, name: ByteString, value: Buffer): string | undefined {
  try {
    writeXattr(file, name, value);
    return readXattrs(file).some((xattr) => xattr.name === name) ? undefined : 'it cannot be read again';
  } catch (error) {
    return errorCode(error) ?? (error as Error).message;
  }
}
