import { DirectStreamReader } from '../../crypto/stream-reader.ts';
import { Failure, type FailureCode } from '../../failure.ts';
import { FileBytes } from '../../linux/file-bytes.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { findPlaced, mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { emptyManifest } from '../../manifest/read/empty-manifest.ts';
import { type ExpectedManifest, type LostStretch, ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { type RandomAccess, type SealedFile, withSpare } from '../../manifest/read/random-access.ts';
import type { PlacedEntry, SnapshotView } from './snapshot-view.ts';

/** An open local file that has the bytes of a manifest. */
export interface OpenFile {
  readonly descriptor: number;
  /** Of the manifest, in bytes. */
  readonly size: number;
  /** Set when it is encrypted in the file. */
  readonly sealed?: SealedFile;
  /** Where the file has only what was read so far: has a stretch of it there. For the thread that plans: the others read what is planned. */
  readonly fill?: (offset: number, length: number) => void;
}

/** A manifest in an open local file, so that every thread can read it; the descriptor stays with its owner. */
export interface ManifestFile extends OpenFile {
  /** What the snapshot's record says of it; the index is compared with that, and each block with the index. */
  readonly expected?: ExpectedManifest;
  /** A copy of it, for what is damaged in it. */
  readonly spare?: OpenFile;
}

/** A manifest that cannot be had at all, and why. */
export interface MissingManifest {
  readonly missing: { readonly code: FailureCode; readonly message: string };
}

/** The manifest of one snapshot of a chain. */
export type ChainManifest = ManifestFile | MissingManifest;

/** The same bytes for one reader: the descriptor is its owner's to close. */
function bytesOf({ descriptor, size, sealed, fill }: OpenFile): RandomAccess {
  const file = new FileBytes(descriptor, 'a manifest', sealed?.size ?? size);
  const read = (offset: number, length: number): Buffer => {
    fill?.(offset, length);
    return file.read(offset, length);
  };
  const close = (): void => {};
  if (sealed === undefined) return { size, descriptor, read, close };
  const reader = new DirectStreamReader(sealed.size, sealed.key, read);
  return { size, read: (offset, length) => reader.read(offset, length), close };
}

/** The same for another thread, which cannot be given functions. */
export function forThread(manifest: ChainManifest): ChainManifest {
  if ('missing' in manifest) return manifest;
  const { fill, spare, ...file } = manifest;
  return spare === undefined ? file : { ...file, spare };
}

/** How a point in time is read. */
export interface ViewOptions {
  /** The trees of the snapshots: what lies elsewhere is no entry. Undefined: it is not known which they are. */
  readonly trees?: readonly ByteString[] | undefined;
  /** Hears of what of the manifests cannot be used, once. */
  readonly onLost?: (lost: LostStretch) => void;
  /** Hears why the spare of a manifest, by its place in the chain, was needed. */
  readonly onSpare?: ((index: number, failure: Failure) => void) | undefined;
}

/**
 * The point in time that the manifests of a chain, the oldest first, are together. What cannot be read of them is passed over: of a lost stretch
 * the older ones tell what they know. Throws what is wrong with the last one, which is the snapshot itself, when nothing of that can be read.
 */
export function openView(manifests: readonly ChainManifest[], options: ViewOptions = {}): SnapshotView {
  const { trees, onLost = () => {}, onSpare = () => {} } = options;
  const layers = manifests.map((manifest, index) => {
    const isLast = index === manifests.length - 1;
    return openOne(manifest, isLast, onLost, (failure) => onSpare(index, failure));
  });
  const strangers = new Set<ByteString>();
  const isOfTrees = ({ entry: { path } }: PlacedEntry): boolean => {
    if (trees === undefined || trees.some((tree) => isWithin(path, tree))) return true;
    if (!strangers.has(path)) onLost(outside(path));
    strangers.add(path);
    return false;
  };
  return {
    *entriesFrom(from) {
      for (const placed of mergedEntries(layers, from)) if (isOfTrees(placed)) yield placed;
    },
    find: (path) => {
      const placed = findPlaced(layers, path);
      return placed !== undefined && isOfTrees(placed) ? placed : undefined;
    },
    entryAt: ({ layer, block, row }) => {
      const found = (layers[layer] as ManifestReader).readAt(block, row);
      if (found.kind === 'tombstone') throw new RangeError('a planned row is no entry');
      return found;
    },
  };
}

function openOne(
  manifest: ChainManifest,
  isLast: boolean,
  onLost: (lost: LostStretch) => void,
  onSpare: (failure: Failure) => void,
): ManifestReader {
  try {
    if ('missing' in manifest) throw new Failure(manifest.missing.code, manifest.missing.message);
    const { expected, spare } = manifest;
    const source = spare === undefined ? bytesOf(manifest) : withSpare(bytesOf(manifest), { access: bytesOf(spare), used: onSpare });
    return ManifestReader.open(source, expected, { onLost });
  } catch (error) {
    if (isLast || !(error instanceof Failure)) throw error;
    onLost({ from: '', to: undefined, isOne: false, failure: error });
    return emptyManifest();
  }
}

function outside(path: ByteString): LostStretch {
  return {
    from: path,
    to: undefined,
    isOne: true,
    failure: new Failure('unsafe_path', 'it lies in none of the trees that the snapshot is of'),
  };
}
