import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readMounts } from '../linux/mounts.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { pathBytes } from './unit.ts';

/**
 * The path through which the `shadow` of an account has to be written while the account is live: its mounted `fst`, for
 * changing the upper layer below a mounted OverlayFS has undefined results. Undefined when it is not mounted, and `shadow`
 * itself is written.
 */
export function liveTree(accountsRoot: string, account: string): ByteString | undefined {
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
  return mount?.fileSystem === 'overlay' ? path : undefined;
}
