import { closeDescriptor, openTrustedDirectory } from '../linux/files.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';
import { readServiceFile } from './service-file.ts';

/**
 * A token of the folder of an account that stays the same as long as the folder exists, whatever is renamed or changed in
 * the account, and that a folder made later under the same name does not have: its inode and the moment of its birth. Where the file system
 * does not know that (0), the next folder can get the same inode, and the panel's file about the account, as it was written then, counts,
 * too.
 */
export function folderIncarnation(folder: ByteString): string {
  const descriptor = openTrustedDirectory(folder);
  try {
    const status = new StatBuffer();
    statDescriptor(descriptor, status);
    const token = `${status.inode}-${status.birthTime}`;
    if (status.birthTime !== 0n) return token;
    const file = readServiceFile(folder);
    return 'reason' in file ? token : `${token}-${file.mtime}-${file.digest.toString('hex')}`;
  } finally {
    closeDescriptor(descriptor);
  }
}
