import { Failure } from '../../failure.ts';
import type { StatBuffer } from '../../linux/stat.ts';
import type { Entry } from '../../manifest/entry.ts';
import type { UpperLayer } from '../overlay/overlay-layers.ts';
import type { WriteRules } from '../rules.ts';

const ROOT = 0;
/** What lets everybody list and enter a directory. */
const OPEN_TO_ALL = 0o005;

/**
 * A directory that was there and is somebody else's than the snapshot's owner of it, or the account's, may have been renamed to
 * this place by a tenant in whose directory it stood: nobody is given it. Given back is what stood here already when the snapshot was
 * made (`chown -R root`), and a directory of root that is open to everybody anyhow (made anew by root). `status` is of the
 * directory; `upper` is there where it is reached through a mounted overlay.
 */
export function checkKept(entry: Entry, { owner, accountUsers }: WriteRules, status: StatBuffer, upper: UpperLayer | undefined): void {
  const { path, uid } = entry;
  if (owner !== undefined && !owner.users.has(status.uid)) {
    throw new Failure('owner_not_allowed', 'the directory does not belong to the account', { affected: [path] });
  }
  if (accountUsers === undefined || status.uid === uid || accountUsers.has(status.uid)) return;
  if (status.uid === ROOT && (status.mode & OPEN_TO_ALL) === OPEN_TO_ALL) return;
  if (stoodHere(entry, status, upper)) return;
  throw new Failure('replaced', `the directory belongs to user ${status.uid} now, and in the snapshot to ${uid}: it stays as it is`, {
    affected: [path],
    advice: 'Give it to its owner or move it away, and restore again.',
  });
}

/**
 * Whether it is the directory that the snapshot has at this place: by its inode, whose number may be another's by now, and its
 * birth, which nobody can set. A mounted overlay shows the birth of what lies in its upper layer, which the snapshot is of.
 */
function stoodHere({ path, inode, ctime }: Entry, status: StatBuffer, upper: UpperLayer | undefined): boolean {
  if (!status.hasBirthTime || status.birthTime > ctime) return false;
  if (upper === undefined) return status.inode === inode;
  const below = upper.directoryAt(path);
  return below?.inode === inode && below.birthTime === status.birthTime;
}
