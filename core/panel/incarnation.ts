import { closeDescriptor, openTrustedDirectory } from '../linux/files.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';

/**
 * A token of the folder of an account that stays the same as long as the folder exists, whatever is renamed or changed in
 * the account, and that a folder made later under the same name does not have: its inode and the moment of its birth (0
 * where the file system does not know it).
 */
export function folderIncarnation(folder: ByteString): string {
  const descriptor = openTrustedDirectory(folder);
  try {
    const status = new StatBuffer();
    statDescriptor(descriptor, status);
    return `${status.inode}-${status.birthTime}`;
  } finally {
    closeDescriptor(descriptor);
  }
}
