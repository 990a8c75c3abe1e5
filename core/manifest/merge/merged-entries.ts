import type { ByteString, Entry } from '../entry.ts';
import { byte } from '../format/columns.ts';
import { holdsChildren } from '../format/kinds.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { decodeRow } from '../read/entry-decoder.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';
import { MergedTree } from './merged-tree.ts';

export interface MergedEntry {
  readonly entry: Entry;
  /** The layer that has the entry, by its place in `layers`; `layers[layer].readAt(block, row)` gives the entry again. */
  readonly layer: number;
  readonly block: number;
  readonly row: number;
}

/**
 * All entries of a point in time in order, from the first that is not before `from` to the last that is before `to`.
 * `layers` are the manifests of a chain, the oldest first. A directory and all below it: from its path to `endOfTree` of it.
 */
export function* mergedEntries(layers: readonly ManifestReader[], from: ByteString = '', to?: ByteString): Generator<MergedEntry> {
  const tree = new MergedTree(layers);
  descendTowards(tree, from);
  for (;;) {
    if (tree.peek() === undefined) {
      if (tree.depth === 0) return;
      tree.ascend();
      continue;
    }
    if (to !== undefined && comparePaths(tree.path, to) >= 0) return;
    if (!tree.currentIsContext) {
      const { block, row, layer } = tree.current;
      yield { entry: tree.entry(), layer, block: block.index, row };
    }
    if (tree.currentIsDirectory) tree.descend();
    else tree.skip();
  }
}

/** The first path behind everything that `path` contains, as a bound for `mergedEntries`; no such entry can exist. */
export function endOfTree(path: ByteString): ByteString {
  return `${path}\0`;
}

/** The entry of one path at a point in time. Reads one block of each layer at most. */
export function findMerged(layers: readonly ManifestReader[], path: ByteString): Entry | undefined {
  return findPlaced(layers, path)?.entry;
}

/** The same with its place. */
export function findPlaced(layers: readonly ManifestReader[], path: ByteString): MergedEntry | undefined {
  // A context row in a newer layer says that the path is a directory, whatever an older layer has there.
  let isDirectory = false;
  for (let number = layers.length - 1; number >= 0; number--) {
    const layer = layers[number] as ManifestReader;
    const place = layer.floor(path);
    if (place === undefined) continue;
    const { block, row } = place;
    const kind = byte(block.kind, row);
    const here = block.path(row);
    if (here === path) {
      const found = decodeRow(block, row, path, layer.packs);
      if (found === undefined) isDirectory = true;
      else if (found.kind === 'tombstone' || (isDirectory && found.kind !== 'directory')) return undefined;
      else return { entry: found, layer: number, block: block.index, row };
    } else if (isWithin(path, here) && !holdsChildren(kind)) {
      return undefined;
    }
  }
  return undefined;
}

function descendTowards(tree: MergedTree, path: ByteString): void {
  if (path === '') return;
  const names = path.split('/');
  names.forEach((name, index) => {
    if (tree.depth !== index) return;
    tree.seek(name);
    if (index + 1 < names.length && tree.peek() === name) tree.descend();
  });
}
