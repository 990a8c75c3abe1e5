import type { ByteString, Entry } from '../../manifest/entry.ts';
import { comparePaths, isWithin } from '../../manifest/path-order.ts';
import { parentPath } from '../../manifest/paths.ts';
import type { LostStretches } from './lost-stretches.ts';
import { unknownPath } from './unknown-path.ts';

/** Where an entry of a point in time stands: which manifest, which block, which row. */
export interface RowPlace {
  readonly layer: number;
  readonly block: number;
  readonly row: number;
}

/** An entry of a point in time with its place. */
export interface PlacedEntry extends RowPlace {
  readonly entry: Entry;
}

/** One point in time: the manifests of its chain, merged. */
export interface SnapshotView {
  /** The entries in path order, beginning with the first that is not before `from`. */
  entriesFrom(from: ByteString): Iterable<PlacedEntry>;
  entryAt(place: RowPlace): Entry;
  /** The entry of exactly this path; reads one block of each manifest at most. */
  find(path: ByteString): PlacedEntry | undefined;
}

/** The same point in time as if it did not have what is hidden. */
export function viewWithout(view: SnapshotView, isHidden: (path: ByteString) => boolean): SnapshotView {
  return {
    *entriesFrom(from) {
      for (const placed of view.entriesFrom(from)) if (!isHidden(placed.entry.path)) yield placed;
    },
    entryAt: (place) => view.entryAt(place),
    find: (path) => (isHidden(path) ? undefined : view.find(path)),
  };
}

/** An entry that a restore handles. */
export interface SelectedEntry extends PlacedEntry {
  /** A directory above a chosen path: made when it is missing, else left as it is. */
  readonly isParent: boolean;
}

/** Sorted, and without those that lie below another one. */
function outermost(paths: readonly ByteString[]): ByteString[] {
  const kept: ByteString[] = [];
  for (const path of [...paths].sort(comparePaths)) {
    const last = kept.at(-1);
    if (last === undefined || !isWithin(path, last)) kept.push(path);
  }
  return kept;
}

/**
 * Throws `path_unknown`, naming them all and the nearest that there is, when the snapshot does not have every chosen path; or what is wrong
 * with it, where that is why nobody knows.
 */
export function checkPaths(view: SnapshotView, paths: readonly ByteString[], lost: LostStretches): void {
  const unknown = paths.filter((path) => view.find(path) === undefined);
  for (const path of unknown) {
    const why = lost.of(path)?.failure;
    if (why !== undefined) throw why;
  }
  if (unknown.length > 0) throw unknownPath('the snapshot does not have', unknown, (path) => view.find(path) !== undefined);
}

/**
 * The entries at and below the chosen paths (all entries when there are none), each once and in path order, with the
 * directories above them.
 */
export function* selectEntries(view: SnapshotView, paths: readonly ByteString[]): Generator<SelectedEntry> {
  const parents: ByteString[] = [];
  for (const path of paths.length === 0 ? [''] : outermost(paths)) {
    for (const parent of newParents(path, parents)) {
      const placed = view.find(parent);
      if (placed !== undefined) yield { ...placed, isParent: true };
    }
    const chosen = path === '' ? undefined : view.find(path);
    if (chosen !== undefined && chosen.entry.kind !== 'directory') {
      yield { ...chosen, isParent: false };
      continue;
    }
    for (const placed of view.entriesFrom(path)) {
      if (!isWithin(placed.entry.path, path)) break;
      yield { ...placed, isParent: false };
    }
  }
}

/** The directories above `path` that were not above the path before; `known` holds that path's and is brought up to date. */
function newParents(path: ByteString, known: ByteString[]): ByteString[] {
  const chain: ByteString[] = [];
  for (let parent = parentPath(path); parent !== ''; parent = parentPath(parent)) chain.unshift(parent);
  const fresh = chain.filter((parent) => !known.includes(parent));
  known.splice(0, known.length, ...chain);
  return fresh;
}
