import { Failure } from '../../failure.ts';
import { linkAt } from '../../linux/files.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { WriteRules } from '../rules.ts';
import { stagedName } from '../target/names.ts';
import { discard, publish } from '../target/publish.ts';
import type { Place } from '../target/target.ts';

/** Which inode an entry became. */
export interface Inode {
  readonly device: bigint;
  readonly inode: bigint;
}

const first = new StatBuffer();
const later = new StatBuffer();

/**
 * Makes `place` another name of `restored`, which was given the name `from`, also for links and special files. Both places must be open
 * at once, so they come from two `Target`s. False when it already was one. Throws `replaced` when something else stands at
 * `from` by now: in the staging folder, where nobody changes it any more, the new name is looked at before it is used.
 */
export function writeHardLink(from: Place, restored: Inode, place: Place, path: ByteString, rules: WriteRules): boolean {
  const bothThere = statAt(from.directory, from.name, first) && statAt(place.directory, place.name, later);
  if (bothThere && isInode(first, restored) && isInode(later, restored)) return false;
  const staged = stagedName();
  try {
    linkAt(from.directory, from.name, place.staging, staged);
    if (!statAt(place.staging, staged, later) || !isInode(later, restored)) {
      throw new Failure('replaced', 'the first name of this file was replaced');
    }
    publish(staged, place, path, rules);
  } catch (error) {
    discard(place.staging, staged);
    throw error;
  }
  return true;
}

/** Whether that is what was restored. */
export function isInode(status: StatBuffer, { device, inode }: Inode): boolean {
  return status.inode === inode && status.device === device;
}
