import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Mount, readMounts } from '../linux/mounts.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { pathBytes } from './unit.ts';

/** A mounted account. */
export interface LiveTree {
  /** Its `fst`. */
  readonly path: ByteString;
  /** The folders whose contents show through, the uppermost first; undefined when the kernel does not tell them. */
  readonly lower: readonly ByteString[] | undefined;
}

/**
 * Through which the `shadow` of an account has to be written while the account is live: its mounted `fst`, for changing the upper
 * layer below a mounted OverlayFS has undefined results. Undefined when it is not mounted, and `shadow` itself is written.
 */
export function liveTree(accountsRoot: string, account: string): LiveTree | undefined {
  let fst: string;
  try {
    fst = realpathSync(join(accountsRoot, account, 'fst'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const path = pathBytes(fst);
  // Of several mounts on one place the last one is what is seen.
  const mount = readMounts().findLast(({ mountPoint }) => mountPoint === path);
  return mount?.fileSystem === 'overlay' ? { path, lower: lowerFolders(mount) } : undefined;
}

/** `lowerdir=a:b`, or one option for each since Linux 6.5; colons in names follow a backslash. */
function lowerFolders({ options }: Mount): ByteString[] | undefined {
  const folders = options
    .filter(([name]) => name === 'lowerdir' || name === 'lowerdir+')
    .flatMap(([, value]) => value.split(/(?<!\\):/))
    .map((folder) => folder.replaceAll('\\:', ':'));
  return folders.length > 0 && folders.every((folder) => folder.startsWith('/')) ? folders : undefined;
}
