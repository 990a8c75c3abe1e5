import { closeDescriptor, openDirectoryAt } from '../../linux/files.ts';
import { mountOf } from '../../linux/mounts.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';

const ROOT = 0;
const OTHERS_MAY_WRITE = 0o022;

const stat = new StatBuffer();
const above = new StatBuffer();

/**
 * Whether only root can put something into this folder, or take something out of it. What an access list allows at most
 * shows in the bits of the group.
 */
export function isRootsAlone({ uid, mode }: Pick<StatBuffer, 'uid' | 'mode'>): boolean {
  return uid === ROOT && (mode & OTHERS_MAY_WRITE) === 0;
}

/**
 * The nearest folder from an open one upwards, itself first, that is root's alone and on the same mount, newly opened; undefined
 * when there is none.
 */
export function openNearestTrusted(directory: number): number | undefined {
  const mount = mountOf(directory);
  let descriptor = openDirectoryAt(directory, '.');
  for (;;) {
    statDescriptor(descriptor, stat);
    if (isRootsAlone(stat)) return descriptor;
    const parent = openDirectoryAt(descriptor, '..');
    closeDescriptor(descriptor);
    statDescriptor(parent, above);
    const isTop = above.inode === stat.inode && above.device === stat.device;
    // Nothing can be renamed from one subvolume to another either.
    if (isTop || above.device !== stat.device || mountOf(parent) !== mount) {
      closeDescriptor(parent);
      return undefined;
    }
    descriptor = parent;
  }
}
