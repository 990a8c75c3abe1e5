import { FileBytes } from '../../linux/file-bytes.ts';
import { findPlaced, mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { type ExpectedManifest, ManifestReader } from '../../manifest/read/manifest-reader.ts';
import type { SnapshotView } from './snapshot-view.ts';

/** A manifest in an open local file, so that every thread can read it; the descriptor stays with its owner. */
export interface ManifestFile {
  readonly descriptor: number;
  /** In bytes. */
  readonly size: number;
  /** What the snapshot's record says of it; the index is compared with that, and each block with the index. */
  readonly expected?: ExpectedManifest;
}

/** The point in time that the manifests of a chain, the oldest first, are together. */
export function openView(manifests: readonly ManifestFile[]): SnapshotView {
  const layers = ManifestReader.openAll(
    manifests.map(({ descriptor, size, expected }) => ({ source: new FileBytes(descriptor, 'a manifest', size), expect: expected })),
  );
  return {
    entriesFrom: (from) => mergedEntries(layers, from),
    find: (path) => findPlaced(layers, path),
    entryAt: ({ layer, block, row }) => {
      const found = (layers[layer] as ManifestReader).readAt(block, row);
      if (found.kind === 'tombstone') throw new RangeError('a planned row is no entry');
      return found;
    },
  };
}
