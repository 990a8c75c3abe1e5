import { fsyncSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { closeDescriptor, linkAt, openAt } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
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
  const isReplacing = statAt(place.directory, place.name, later);
  if (isReplacing && isInode(later, restored) && statAt(from.directory, from.name, first) && isInode(first, restored)) return false;
  const staged = stagedName();
  try {
    linkAt(from.directory, from.name, place.staging, staged);
    if (!statAt(place.staging, staged, later) || !isInode(later, restored)) {
      throw new Failure('replaced', 'the first name of this file was replaced');
    }
    // What it replaces is gone only when it is on the disk (safe-file.ts).
    if (isReplacing && later.isFile && later.size > 0) syncAt(place.staging, staged);
    publish(staged, place, path, rules);
  } catch (error) {
    discard(place.staging, staged);
    throw error;
  }
  return true;
}

function syncAt(folder: number, name: ByteString): void {
  const descriptor = openAt(folder, name, O_RDONLY | O_NONBLOCK);
  try {
    fsyncSync(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Whether that is what was restored. */
export function isInode(status: StatBuffer, { device, inode }: Inode): boolean {
  return status.inode === inode && status.device === device;
}
