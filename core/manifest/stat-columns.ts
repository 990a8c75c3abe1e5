import type { BlockView } from './block-view.ts';
import { DIRECTORY, FILE, SYMLINK } from './kinds.ts';

/** The file type bits of st_mode (inode(7)) by number of kind; 0 for rows that are no entries, so that they equal nothing. */
const TYPE_BITS = Uint16Array.of(0, 0, 0o100000, 0o040000, 0o120000, 0o010000, 0o140000, 0o020000, 0o060000);

/**
 * Whether an inode is still as a row says: type, mode, owner, times, inode, device, the size of a file or symlink, and the
 * link count of anything but a directory. `words` is a `struct statx` (linux/stat.h) as 32-bit words. Makes no object.
 */
export function sameStat(block: BlockView, row: number, words: Uint32Array): boolean {
  const low = row * 2;
  const high = low + 1;
  const kind = block.kind[row] as number;
  if (
    block.ctimeSeconds[low] !== words[24] ||
    block.ctimeNanoseconds[row] !== words[26] ||
    block.inode[low] !== words[8] ||
    ((TYPE_BITS[kind] as number) | (block.mode[row] as number)) !== ((words[7] as number) & 0xffff) ||
    block.mtimeSeconds[low] !== words[28] ||
    block.mtimeNanoseconds[row] !== words[30] ||
    block.uid[row] !== words[5] ||
    block.gid[row] !== words[6] ||
    block.ctimeSeconds[high] !== words[25] ||
    block.mtimeSeconds[high] !== words[29] ||
    block.inode[high] !== words[9]
  ) {
    return false;
  }
  const device = (block.deviceIndex[row] as number) * 2;
  if (block.devices[device] !== words[34] || block.devices[device + 1] !== words[35]) return false;
  if (kind !== DIRECTORY && block.linkCount[row] !== words[4]) return false;
  if (kind !== FILE && kind !== SYMLINK) return true;
  return block.size[low] === words[10] && block.size[high] === words[11];
}
