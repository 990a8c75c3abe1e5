import type { SnapshotView } from '../plan/snapshot-view.ts';
import { type OwnerMap, type Stranger, withMappedOwners } from './owner-map.ts';

/** The same point in time with other owners. `onStranger` hears of each entry that somebody takes. */
export function mappedView(view: SnapshotView, map: OwnerMap | undefined, onStranger?: Stranger): SnapshotView {
  if (map === undefined) return view;
  return {
    *entriesFrom(from) {
      for (const placed of view.entriesFrom(from)) {
        const met: Parameters<Stranger>[] = [];
        yield { ...placed, entry: withMappedOwners(placed.entry, map, (...stranger) => met.push(stranger)) };
        // Whoever only looks where to stop does not come back for more.
        for (const stranger of met) onStranger?.(...stranger);
      }
    },
    find: (path) => {
      const placed = view.find(path);
      return placed && { ...placed, entry: withMappedOwners(placed.entry, map, onStranger) };
    },
    entryAt: (place) => withMappedOwners(view.entryAt(place), map),
  };
}
