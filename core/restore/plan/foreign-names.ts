import { Failure } from '../../failure.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import type { Target } from '../target/target.ts';

const stat = new StatBuffer();

/** Which inode stands at a path, and how many names it has. */
interface Standing {
  readonly device: bigint;
  readonly inode: bigint;
  readonly linkCount: number;
}

/** Undefined where nothing stands, or nothing can be reached. */
export function standingAt(target: Target, path: ByteString): Standing | undefined {
  try {
    const { directory, name } = target.place(path);
    if (name === '' || !statAt(directory, name, stat)) return undefined;
    return { device: stat.device, inode: stat.inode, linkCount: stat.linkCount };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof Failure) return undefined;
    throw error;
  }
}

export function isSameInode(one: Standing | undefined, other: Standing | undefined): boolean {
  return one !== undefined && other !== undefined && one.device === other.device && one.inode === other.inode;
}

/**
 * Whether what stands at the first name of a file has more names than those that the restore gives: it must not stay, however right
 * it is, because whoever has the other name could change it. All whiteouts of an overlay are names of one inode, and nothing to change.
 */
export function hasForeignNames(target: Target, first: Entry, later: Iterable<ByteString>): boolean {
  if (isWhiteout(first)) return false;
  const standing = standingAt(target, first.path);
  if (standing === undefined) return false;
  let known = 1;
  for (const path of later) if (isSameInode(standingAt(target, path), standing)) known++;
  return standing.linkCount > known;
}
