import type { ByteString, Entry } from '../manifest/entry.ts';
import { type PathState, pathStateOf } from '../manifest/merge/path-states.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import type { OwnerSight } from '../restore/owner/owner-sight.ts';
import { hasPath } from './tree-scope.ts';
import { VisiblePaths } from './visible-paths.ts';

/** What all snapshots of a unit have, and what of it is shown: everything, or what an owner could open. */
export class AllSnapshots {
  readonly #readers: readonly ManifestReader[];
  readonly #visible: VisiblePaths | undefined;

  constructor(readers: readonly ManifestReader[], sight: OwnerSight | undefined) {
    this.#readers = readers;
    this.#visible = sight === undefined ? undefined : new VisiblePaths(sight, (path) => mostClosed(readers, path, sight));
  }

  shows(path: ByteString, entry: Entry): boolean {
    return this.#visible?.shows(path, entry) !== false;
  }

  /** Whether any snapshot has a path that is shown. */
  has(path: ByteString): boolean {
    return this.#readers.some((reader) => {
      if (this.#visible === undefined) return hasPath([reader], path);
      const pathState = pathStateOf(reader, path);
      return typeof pathState === 'object' && this.shows(path, pathState);
    });
  }

  /** What a manifest says of a path, where an entry that is not shown counts as gone. */
  shown(path: ByteString, pathState: PathState): PathState {
    return typeof pathState === 'object' && !this.shows(path, pathState) ? 'gone' : pathState;
  }
}

/** A folder that was closed in one snapshot counts as closed in all. */
function mostClosed(readers: readonly ManifestReader[], path: ByteString, sight: OwnerSight): Entry | undefined {
  const entries = readers.map((reader) => pathStateOf(reader, path)).filter((pathState) => typeof pathState === 'object');
  return entries.find((entry) => !sight.opens(entry)) ?? entries[0];
}
