import type { Entry } from '../../manifest/entry.ts';
import type { PackCache } from '../content/pack-cache.ts';
import { frameGroups } from '../threads/write-tasks.ts';
import { type Plan, placeAt } from './plan.ts';
import type { SnapshotView } from './snapshot-view.ts';

/** What a plan reads of the repository. */
export interface Needs {
  /** Of frames; those that two large files share count for each. */
  readonly bytes: number;
  readonly packs: string[];
}

function* singleFiles({ large, anew }: Plan, view: SnapshotView): Generator<Entry> {
  for (const table of [large, anew]) for (let row = 0; row < table.length; row++) yield view.entryAt(placeAt(table, row));
}

/** Which packs a plan reads, and how many bytes of their frames. Large files whose frames are missing go to `report`. */
export async function neededFrames(
  plan: Plan,
  packCache: PackCache,
  view: SnapshotView,
  report: (entry: Entry, error: unknown) => void,
): Promise<Needs> {
  const packs = new Set<string>();
  let bytes = 0;
  for (const each of plan.packs) {
    const reader = await packCache.open(each.pack);
    packs.add(each.pack);
    let last = -1;
    for (const { frame } of frameGroups(each)) {
      if (frame !== last) bytes += reader.frame(frame).length;
      last = frame;
    }
  }
  for (const entry of singleFiles(plan, view)) {
    const frames = new Map<string, number>();
    try {
      for (const extent of entry.content?.extents ?? []) {
        const reader = await packCache.open(extent.pack);
        packs.add(extent.pack);
        for (const { frame } of reader.framesOfExtent(extent)) frames.set(`${frame} ${extent.pack}`, reader.frame(frame).length);
      }
    } catch (error) {
      report(entry, error);
    }
    for (const length of frames.values()) bytes += length;
  }
  return { bytes, packs: [...packs].sort() };
}
