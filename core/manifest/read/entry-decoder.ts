import type { ByteString, ManifestRow } from '../entry.ts';
import { safeNumber, wideNumber } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { entryKind, TOMBSTONE } from '../format/kinds.ts';
import type { BlockView } from './block-view.ts';
import { SideTables } from './side-tables.ts';

const BILLION = 1_000_000_000n;

/** A row as an object: an entry, a tombstone, or undefined for a context row. `path` is the row's full path. */
export function decodeRow(block: BlockView, row: number, path: ByteString, packs: readonly string[]): ManifestRow | undefined {
  if (block.kind[row] === TOMBSTONE) return { path, kind: 'tombstone' };
  const kind = entryKind(block.kind[row] as number);
  if (kind === undefined) return undefined;
  const tables = SideTables.of(block);
  const device = block.deviceIndex[row] as number;
  if (device * 2 >= block.devices.length) throw damaged(`block ${block.index}, row ${row}: unknown device`);
  const linkTarget = tables.linkTarget(row);
  const numbers = tables.deviceNumber(row);
  // Files and directories have the id of their project in the place of a device number.
  const isOfDevice = kind !== 'file' && kind !== 'directory';
  const content = tables.content(row, packs);
  return {
    path,
    kind,
    mode: block.mode[row] as number,
    uid: block.uid[row] as number,
    gid: block.gid[row] as number,
    size: safeNumber(block.size, row, `block ${block.index}, row ${row}: the size`),
    mtime: time(block.mtimeSeconds, block.mtimeNanoseconds, row),
    ctime: time(block.ctimeSeconds, block.ctimeNanoseconds, row),
    device: (BigInt(block.devices[2 * device] as number) << 32n) | BigInt(block.devices[2 * device + 1] as number),
    inode: wideNumber(block.inode, row),
    linkCount: block.linkCount[row] as number,
    ...(numbers === undefined ? {} : isOfDevice ? { deviceNumber: numbers } : { projectId: numbers.major }),
    ...(linkTarget === undefined ? {} : { linkTarget }),
    xattrs: tables.xattrs(block.xattrSet[row] as number),
    inodeFlags: block.inodeFlags[row] as number,
    ...(content === undefined ? {} : { content }),
    flags: block.flags[row] as number,
  };
}

function time(seconds: Uint32Array, nanoseconds: Uint32Array, row: number): bigint {
  return BigInt.asIntN(64, wideNumber(seconds, row)) * BILLION + BigInt(nanoseconds[row] as number);
}
