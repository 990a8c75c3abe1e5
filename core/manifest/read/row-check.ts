import { EntryFlags } from '../entry.ts';
import { byte, word } from '../format/columns.ts';
import { CHARACTER_DEVICE, DIRECTORY, FILE, SYMLINK, TOMBSTONE } from '../format/kinds.ts';
import type { BlockView } from './block-view.ts';
import { SideTables } from './side-tables.ts';

const PERMISSIONS = 0o7777;
const BILLION = 1_000_000_000;
const NOBODY = 0xffff_ffff;
/** The high word of 2^53 - 1. */
const SAFE_HIGH = 0x1f_ffff;

/** A row that says what no entry can be. */
export interface BadRow {
  readonly row: number;
  readonly problem: string;
}

/**
 * Finds the rows of a block whose entry makes no sense, so that whoever reads another one can rely on it: numbers within their limits,
 * what only some kinds have at those kinds alone, and contents that fit the sizes. `packs` is how many packs the index names. Throws
 * `repository_damaged` for tables that do not fit the block.
 */
export function badRows(block: BlockView, packs: number): BadRow[] {
  const bad: BadRow[] = [];
  const tables = SideTables.of(block);
  const { linkRows, deviceNumberRows, contentRows } = tables;
  let link = 0;
  let number = 0;
  let content = 0;
  let odd = nextOddRow(block, 0);
  for (let row = 0; row < block.rows; row++) {
    const hasLink = linkRows[link] === row;
    const hasNumber = deviceNumberRows[number] === row;
    const hasContent = contentRows[content] === row;
    const hasSet = block.xattrSet[row] === 0 || tables.hasSet(word(block.xattrSet, row));
    const problem =
      (row === odd ? problemOfColumns(block, row) : undefined) ??
      (hasSet ? undefined : 'a set of attributes that no entry can have') ??
      problemOfKind(block, row, hasLink, hasContent) ??
      (hasLink ? problemOfTarget(tables, link) : undefined) ??
      problemOfNumber(block, row, hasNumber ? tables.deviceNumberAt(number) : undefined) ??
      (hasContent ? problemOfContent(block, row, tables, content, packs) : undefined);
    if (problem !== undefined) bad.push({ row, problem });
    if (row === odd) odd = nextOddRow(block, row + 1);
    if (hasLink) link++;
    if (hasNumber) number++;
    if (hasContent) content++;
  }
  return bad;
}

/** The first row from `from` whose columns say what no entry can have; the number of rows when there is none. One tight loop over all rows. */
function nextOddRow(block: BlockView, from: number): number {
  const { kind, mode, uid, gid, mtimeNanoseconds, ctimeNanoseconds, deviceIndex, size, rows } = block;
  const devices = block.devices.length / 2;
  for (let row = from; row < rows; row++) {
    if (kind[row]! <= TOMBSTONE) continue;
    if (mode[row]! > PERMISSIONS || mtimeNanoseconds[row]! >= BILLION || ctimeNanoseconds[row]! >= BILLION) return row;
    if (uid[row] === NOBODY || gid[row] === NOBODY || deviceIndex[row]! >= devices || size[2 * row + 1]! > SAFE_HIGH) return row;
  }
  return rows;
}

function problemOfColumns(block: BlockView, row: number): string {
  if ((block.mode[row] as number) > PERMISSIONS) return 'a mode beyond the permission bits';
  if (word(block.mtimeNanoseconds, row) >= BILLION || word(block.ctimeNanoseconds, row) >= BILLION)
    return 'a second of more than 10^9 nanoseconds';
  if (block.uid[row] === NOBODY || block.gid[row] === NOBODY) return 'an owner that no entry can have';
  return 2 * word(block.deviceIndex, row) >= block.devices.length ? 'unknown device' : 'the size is beyond 2^53';
}

/** What stands only at some kinds, and what has to stand there. */
function problemOfKind(block: BlockView, row: number, hasLink: boolean, hasContent: boolean): string | undefined {
  const kind = block.kind[row] as number;
  const isMissing = (byte(block.flags, row) & EntryFlags.contentMissing) !== 0;
  const isEmpty = block.size[2 * row] === 0 && block.size[2 * row + 1] === 0;
  if (hasLink !== (kind === SYMLINK) && !(kind === SYMLINK && isMissing))
    return hasLink ? 'a target of what is no link' : 'a link without a target';
  if (hasContent && (kind !== FILE || isEmpty)) return 'content of what has none';
  if (!hasContent && kind === FILE && !isEmpty && !isMissing) return 'it has a size and no content';
  if (isMissing && kind === FILE && isEmpty) return 'content is missing of an empty file';
  if (!isEmpty && kind !== FILE && kind !== SYMLINK) return 'a size of what has none';
  return undefined;
}

function problemOfTarget(tables: SideTables, link: number): string | undefined {
  const target = tables.targetAt(link);
  return target.length === 0 || target.indexOf(0) >= 0 ? 'a target that no link can have' : undefined;
}

/** Files and directories have the id of their project in the place of a device number. */
function problemOfNumber(block: BlockView, row: number, number: { major: number; minor: number } | undefined): string | undefined {
  const kind = block.kind[row] as number;
  const isDevice = kind >= CHARACTER_DEVICE;
  if (number === undefined) return isDevice ? 'a device without its number' : undefined;
  if (isDevice) return undefined;
  if (kind !== FILE && kind !== DIRECTORY) return 'a device number of what is none';
  return number.major === 0 || number.minor !== 0 ? 'a project that cannot be' : undefined;
}

function problemOfContent(block: BlockView, row: number, tables: SideTables, content: number, packs: number): string | undefined {
  const misplaced = tables.problemOfExtents(content, packs);
  if (misplaced !== undefined) return misplaced;
  if ((byte(block.flags, row) & EntryFlags.contentMissing) !== 0)
    return tables.storedAt(content) === 0 ? undefined : 'content that is said to be missing';
  const size = word(block.size, 2 * row + 1) * 0x1_0000_0000 + word(block.size, 2 * row);
  const mapped = tables.mappedAt(content, size);
  if (typeof mapped === 'string') return mapped;
  const stored = tables.storedAt(content);
  return stored === mapped ? undefined : `${stored} bytes of content instead of ${mapped}`;
}
