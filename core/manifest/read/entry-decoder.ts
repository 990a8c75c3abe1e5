import type { ByteString, ManifestRow } from '../entry.ts';
import { byte, halfWord, safeNumber, wideNumber, word } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { entryKind, TOMBSTONE } from '../format/kinds.ts';
import type { BlockView } from './block-view.ts';
import { SideTables } from './side-tables.ts';

const BILLION = 1_000_000_000n;

/** A row as an object: an entry, a tombstone, or undefined for a context row. `path` is the row's full path. */
export function decodeRow(block: BlockView, row: number, path: ByteString, packs: readonly string[]): ManifestRow | undefined {
  if (block.kind[row] === TOMBSTONE) return { path, kind: 'tombstone' };
  const kind = entryKind(byte(block.kind, row));
  if (kind === undefined) return undefined;
  const tables = SideTables.of(block);
  const device = word(block.deviceIndex, row);
  if (device * 2 >= block.devices.length) throw damaged(`block ${block.index}, row ${row}: unknown device`);
  const linkTarget = tables.linkTarget(row);
  const numbers = tables.deviceNumber(row);
  // Files and directories have the id of their project in the place of a device number.
  const isOfDevice = kind !== 'file' && kind !== 'directory';
  const content = tables.content(row, packs);
  return {
    path,
    kind,
    mode: halfWord(block.mode, row),
    uid: word(block.uid, row),
    gid: word(block.gid, row),
    size: safeNumber(block.size, row, `block ${block.index}, row ${row}: the size`),
    mtime: time(block.mtimeSeconds, block.mtimeNanoseconds, row),
    ctime: time(block.ctimeSeconds, block.ctimeNanoseconds, row),
    device: (BigInt(word(block.devices, 2 * device)) << 32n) | BigInt(word(block.devices, 2 * device + 1)),
    inode: wideNumber(block.inode, row),
    linkCount: word(block.linkCount, row),
    ...(numbers === undefined ? {} : isOfDevice ? { deviceNumber: numbers } : { projectId: numbers.major }),
    ...(linkTarget === undefined ? {} : { linkTarget }),
    xattrs: tables.xattrs(word(block.xattrSet, row)),
    inodeFlags: word(block.inodeFlags, row),
    ...(content === undefined ? {} : { content }),
    flags: byte(block.flags, row),
  };
}

function time(seconds: Uint32Array, nanoseconds: Uint32Array, row: number): bigint {
  return BigInt.asIntN(64, wideNumber(seconds, row)) * BILLION + BigInt(word(nanoseconds, row));
}
