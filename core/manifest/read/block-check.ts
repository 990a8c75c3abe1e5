import type { ByteString } from '../entry.ts';
import { byte, word } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { holdsChildren, KIND_LIMIT } from '../format/kinds.ts';
import { BLOCK_ROWS_MAX, DEPTH_MAX, PATH_BYTES_MAX } from '../format/limits.ts';
import { isPath } from '../names.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { parentPath } from '../paths.ts';
import type { BlockView } from './block-view.ts';

const DOT = 0x2e;

/**
 * Checks that the rows of a block are a stretch of a walk through a tree: names that a directory can hold, siblings in
 * order, nothing below what is no directory. `firstPath` and `nextFirstPath` are what the index says about this block and
 * the one after it, so that all blocks together are one walk without any being read for another.
 */
export function checkRows(block: BlockView, firstPath: ByteString, nextFirstPath: ByteString | undefined): void {
  const what = `block ${block.index}`;
  if (block.parentPath !== '' && !isPath(block.parentPath)) throw damaged(`${what}: its parent path is none`);
  if (block.nameBytes.indexOf(0x2f) >= 0 || block.nameBytes.indexOf(0) >= 0) throw damaged(`${what}: a name has a slash or NUL`);
  checkTree(block, what);
  if (block.path(0) !== firstPath) throw damaged(`${what}: it does not begin where the index says`);
  if (block.index === 0 && block.parentPath !== '') throw damaged(`${what}: it begins below a directory that is not there`);
  if (nextFirstPath !== undefined) checkSuccessor(block, nextFirstPath, what);
}

function checkTree(block: BlockView, what: string): void {
  const { depth, kind } = block;
  if (block.rows > BLOCK_ROWS_MAX) throw damaged(`${what}: it has more than ${BLOCK_ROWS_MAX} rows`);
  const above = block.parentPath === '' ? [] : block.parentPath.split('/');
  /** How long the path of the directory at each depth is. */
  const lengths: number[] = [];
  let length = 0;
  for (const name of above) {
    length += name.length + 1;
    lengths.push(length);
  }
  /** The last row of each depth inside the directory that the walk is in. */
  const last: number[] = [];
  let deepest = above.length;
  if (depth[0] !== deepest) throw damaged(`${what}: its first row is not in its parent directory`);
  for (let row = 0; row < block.rows; row++) {
    const level = word(depth, row);
    if (level > deepest) throw damaged(`${what}, row ${row}: nothing above it is a directory`);
    const pathLength = (level === 0 ? 0 : (lengths[level - 1] as number)) + nameLength(block, row);
    lengths[level] = pathLength + 1;
    if (level > DEPTH_MAX || pathLength > PATH_BYTES_MAX) throw damaged(`${what}, row ${row}: its path is too long or too deep`);
    if (byte(kind, row) >= KIND_LIMIT) throw damaged(`${what}, row ${row}: unknown kind ${kind[row]}`);
    checkName(block, row, what);
    const isFirstChild = row === 0 || level > word(depth, row - 1);
    if (!isFirstChild && !isBehind(block, row, last[level], above[level])) throw damaged(`${what}, row ${row}: out of order`);
    last[level] = row;
    deepest = holdsChildren(byte(kind, row)) ? level + 1 : level;
  }
}

function nameLength({ nameOffsets }: BlockView, row: number): number {
  return word(nameOffsets, row + 1) - word(nameOffsets, row);
}

/** Whether a row follows its previous sibling: a row of this block, or else what the parent path has at that depth. */
function isBehind(block: BlockView, row: number, sibling: number | undefined, above: ByteString | undefined): boolean {
  return sibling === undefined ? block.name(row) > (above as ByteString) : compareNames(block, sibling, row) < 0;
}

function checkName(block: BlockView, row: number, what: string): void {
  const start = word(block.nameOffsets, row);
  const length = word(block.nameOffsets, row + 1) - start;
  const dots = length <= 2 && (length === 0 || block.nameBytes[start] === DOT) && (length < 2 || block.nameBytes[start + 1] === DOT);
  if (dots) throw damaged(`${what}, row ${row}: its name is empty, '.' or '..'`);
}

function compareNames(block: BlockView, a: number, b: number): number {
  const { nameBytes, nameOffsets } = block;
  let x = word(nameOffsets, a);
  let y = word(nameOffsets, b);
  const endX = word(nameOffsets, a + 1);
  const endY = word(nameOffsets, b + 1);
  while (x < endX && y < endY && nameBytes[x] === nameBytes[y]) {
    x++;
    y++;
  }
  if (x === endX || y === endY) return endX - x - (endY - y);
  return byte(nameBytes, x) - byte(nameBytes, y);
}

/** The next block goes on behind the last row, inside a directory that the walk is in at that point. */
function checkSuccessor(block: BlockView, nextFirstPath: ByteString, what: string): void {
  const row = block.rows - 1;
  const path = block.path(row);
  const parent = parentPath(nextFirstPath);
  const isOpen = parent === path ? holdsChildren(byte(block.kind, row)) : isWithin(path, parent);
  if (!isOpen || comparePaths(path, nextFirstPath) >= 0) throw damaged(`${what}: the next block does not follow it`);
}
