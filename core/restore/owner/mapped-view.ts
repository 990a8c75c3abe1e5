import type { SnapshotView } from '../plan/snapshot-view.ts';
import { isForeignDevice, type Loss, type OnLoss, type OwnerMap, withMappedOwners } from './owner-map.ts';

/** The same point in time with other owners. `onLoss` hears of each entry that does not get all that it had, and of each that is left out. */
export function mappedView(view: SnapshotView, map: OwnerMap | undefined, onLoss: OnLoss = () => {}): SnapshotView {
  if (map === undefined) return view;
  return {
    *entriesFrom(from) {
      for (const placed of view.entriesFrom(from)) {
        const { path } = placed.entry;
        if (isForeignDevice(placed.entry, map)) {
          onLoss({ message: 'not restored: a device', affects: path, path });
          continue;
        }
        const lost: Loss[] = [];
        yield { ...placed, entry: withMappedOwners(placed.entry, map, (loss) => lost.push(loss)) };
        // Whoever only looks where to stop does not come back for more.
        for (const loss of lost) onLoss(loss);
      }
    },
    find: (path) => {
      const placed = view.find(path);
      return placed === undefined || isForeignDevice(placed.entry, map)
        ? undefined
        : { ...placed, entry: withMappedOwners(placed.entry, map, onLoss) };
    },
    entryAt: (place) => withMappedOwners(view.entryAt(place), map),
  };
}
