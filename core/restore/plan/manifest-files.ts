import { readSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { findPlaced, mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { type ExpectedManifest, ManifestReader } from '../../manifest/read/manifest-reader.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { SnapshotView } from './snapshot-view.ts';

/** A manifest in an open local file, so that every thread can read it; the descriptor stays with its owner. */
export interface ManifestFile {
  readonly descriptor: number;
  /** In bytes. */
  readonly size: number;
  /** What the snapshot's record says of it; the index is compared with that, and each block with the index. */
  readonly expected?: ExpectedManifest;
}

class FileAccess implements RandomAccess {
  readonly size: number;
  readonly #descriptor: number;

  constructor({ descriptor, size }: ManifestFile) {
    this.size = size;
    this.#descriptor = descriptor;
  }

  read(offset: number, length: number): Buffer {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new Failure('repository_damaged', 'a manifest ends too early');
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#descriptor, bytes, done, length - done, offset + done);
      if (read === 0) throw new Failure('repository_damaged', 'a manifest ends too early');
      done += read;
    }
    return bytes;
  }

  close(): void {}
}

/** The point in time that the manifests of a chain, the oldest first, are together. */
export function openView(manifests: readonly ManifestFile[]): SnapshotView {
  const layers = ManifestReader.openAll(manifests.map((manifest) => ({ source: new FileAccess(manifest), expect: manifest.expected })));
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
