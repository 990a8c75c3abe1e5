import type { ByteString, Entry } from '../manifest/entry.ts';
import { type Saying, sayingOf } from '../manifest/merge/path-states.ts';
import type { OwnerSight } from '../restore/owner/owner-sight.ts';
import type { OpenRuns } from '../timeline/open-layers.ts';
import { hasPath } from './tree-scope.ts';
import { VisiblePaths } from './visible-paths.ts';

/** What all snapshots of a unit have, and what of it is shown: everything, or what an owner could open. */
export class AllSnapshots {
  readonly #runs: OpenRuns;
  readonly #visible: VisiblePaths | undefined;

  constructor(runs: OpenRuns, sight: OwnerSight | undefined) {
    this.#runs = runs;
    this.#visible = sight === undefined ? undefined : new VisiblePaths(sight, (path) => mostClosed(runs, path, sight));
  }

  shows(path: ByteString, entry: Entry): boolean {
    return this.#visible?.shows(path, entry) !== false;
  }

  /** Whether any snapshot has a path that is shown. */
  has(path: ByteString): boolean {
    return this.#runs.readers.some((reader) => {
      if (this.#visible === undefined) return hasPath([reader], path);
      const saying = sayingOf(reader, path);
      return typeof saying === 'object' && this.shows(path, saying);
    });
  }

  /** What a manifest says of a path, where an entry that is not shown counts as gone. */
  shown(path: ByteString, saying: Saying): Saying {
    return typeof saying === 'object' && !this.shows(path, saying) ? 'gone' : saying;
  }
}

/** A folder that was closed in one snapshot counts as closed in all. */
function mostClosed({ readers }: OpenRuns, path: ByteString, sight: OwnerSight): Entry | undefined {
  const entries = readers.map((reader) => sayingOf(reader, path)).filter((saying) => typeof saying === 'object');
  return entries.find((entry) => !sight.opens(entry)) ?? entries[0];
}
