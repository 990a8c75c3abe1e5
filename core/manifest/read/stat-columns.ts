import { byte, halfWord, word } from '../format/columns.ts';
import { DIRECTORY, FILE, SYMLINK } from '../format/kinds.ts';
import type { BlockView } from './block-view.ts';

/** The file type bits of st_mode (inode(7)) by number of kind; 0 for rows that are no entries, so that they equal nothing. */
const TYPE_BITS = Uint16Array.of(0, 0, 0o100000, 0o040000, 0o120000, 0o010000, 0o140000, 0o020000, 0o060000);

/**
 * Whether an inode is still as a row says: type, mode, owner, times, inode, device, the size of a file or symlink, and the
 * link count of anything but a directory. At `at` of `words` stands a `struct statx` (linux/stat.h) as 32-bit words. Makes no object.
 */
export function sameStat(block: BlockView, row: number, words: Uint32Array, at = 0): boolean {
  const low = row * 2;
  const high = low + 1;
  const kind = byte(block.kind, row);
  if (
    block.ctimeSeconds[low] !== words[at + 24] ||
    block.ctimeNanoseconds[row] !== words[at + 26] ||
    block.inode[low] !== words[at + 8] ||
    (halfWord(TYPE_BITS, kind) | halfWord(block.mode, row)) !== (word(words, at + 7) & 0xffff) ||
    block.mtimeSeconds[low] !== words[at + 28] ||
    block.mtimeNanoseconds[row] !== words[at + 30] ||
    block.uid[row] !== words[at + 5] ||
    block.gid[row] !== words[at + 6] ||
    block.ctimeSeconds[high] !== words[at + 25] ||
    block.mtimeSeconds[high] !== words[at + 29] ||
    block.inode[high] !== words[at + 9]
  ) {
    return false;
  }
  const device = word(block.deviceIndex, row) * 2;
  if (block.devices[device] !== words[at + 34] || block.devices[device + 1] !== words[at + 35]) return false;
  if (kind !== DIRECTORY && block.linkCount[row] !== words[at + 4]) return false;
  if (kind !== FILE && kind !== SYMLINK) return true;
  return block.size[low] === words[at + 10] && block.size[high] === words[at + 11];
}
