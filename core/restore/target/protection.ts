import { Failure } from '../../failure.ts';
import { closeDescriptor, openAt } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, readInodeFlags, writeInodeFlags } from '../../linux/inode-flags.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { OwnerRights } from '../owner/owner-rights.ts';

/** The inode flags that keep even root from changing an entry (`chattr +i`, `chattr +a`). */
export const PROTECTING_FLAGS = FS_IMMUTABLE_FL | FS_APPEND_FL;

const stat = new StatBuffer();

/** Takes the protecting flags off an open file or directory; returns which it had. Where it has any, `before` is called with them first. */
export function unprotect(descriptor: number, before?: (protecting: number) => void): number {
  const flags = readInodeFlags(descriptor);
  const protecting = flags & PROTECTING_FLAGS;
  if (protecting === 0) return protecting;
  before?.(protecting);
  writeInodeFlags(descriptor, flags & ~PROTECTING_FLAGS);
  return protecting;
}

/** The same for the entry `name`, where only files and directories can have such flags. */
function unprotectAt(directory: number, name: ByteString): boolean {
  if (!statAt(directory, name, stat) || !(stat.isFile || stat.isDirectory)) return false;
  const descriptor = openAt(directory, name, O_RDONLY | O_NONBLOCK);
  try {
    return unprotect(descriptor) !== 0;
  } finally {
    closeDescriptor(descriptor);
  }
}

/**
 * Does `action`; when the entry `name` is protected against it, takes the protection off and does it again. For an account's
 * `owner` the protection, which only an administrator can have given, stands. Throws `mount_skipped` where something is mounted.
 */
export function pastProtection(directory: number, name: ByteString, owner: OwnerRights | undefined, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errorCode(error) === 'EBUSY') throw new Failure('mount_skipped', 'something is mounted here', { cause: error });
    if (owner !== undefined || errorCode(error) !== 'EPERM' || !unprotectAt(directory, name)) throw error;
    action();
  }
}
