import type { ByteString, Entry } from '../entry.ts';
import { byte } from '../format/columns.ts';
import { holdsChildren } from '../format/kinds.ts';
import { isWithin } from '../path-order.ts';
import type { BlockView } from '../read/block-view.ts';
import { decodeRow } from '../read/entry-decoder.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';

/**
 * What one manifest of a chain says about a path: its entry; that it is gone, by a tombstone or because something above it
 * is no directory; that it is a directory, of which this manifest has only something below; or nothing.
 */
export type PathState = Entry | 'gone' | 'directory' | 'nothing';

/** What a row says that stands at `path`. */
export function pathStateOfRow(block: BlockView, row: number, path: ByteString, packs: readonly string[]): PathState {
  const decoded = decodeRow(block, row, path, packs);
  if (decoded === undefined) return 'directory';
  return decoded.kind === 'tombstone' ? 'gone' : decoded;
}

/** What a manifest says about a path. Reads one block at most. */
export function pathStateOf(layer: ManifestReader, path: ByteString): PathState {
  const place = layer.floor(path);
  if (place === undefined) return 'nothing';
  const { block, row } = place;
  const here = block.path(row);
  if (here === path) return pathStateOfRow(block, row, path, layer.packs);
  return isWithin(path, here) && !holdsChildren(byte(block.kind, row)) ? 'gone' : 'nothing';
}

/** What two neighbours of a chain say together, `newer` on top of `older`. */
export function mergePathStates(older: PathState, newer: PathState): PathState {
  if (newer === 'nothing') return older;
  if (newer !== 'directory') return newer;
  return typeof older === 'object' && older.kind === 'directory' ? older : 'directory';
}
