import { Failure } from '../../failure.ts';
import { freeSpace } from '../../linux/space.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import type { Target, TargetRoot } from '../target/target.ts';
import { FileColumn, type Plan, placeAt } from './plan.ts';
import type { SnapshotView } from './snapshot-view.ts';

/** What file systems allocate in, on nearly all machines. */
const BLOCK = 4096;
const STAT_BLOCK = 512;

const stat = new StatBuffer();

/**
 * Why the files of a plan do not fit where they go, and by how much; undefined when they do. What they replace makes room.
 * Not for roots with other file systems below them; a quota is asked about by `lackOfRoom`. Looks at the single files only when it is
 * tight. Where the target compresses, files do not fit only if they cannot at its best.
 */
export function lackOfSpace(plan: Plan, roots: readonly TargetRoot[], target: Target, view: SnapshotView): Failure | undefined {
  const known = roots.filter(({ crossMounts }) => !crossMounts);
  const atMost = plan.bytes + plan.entries * BLOCK;
  if (known.every(({ descriptor }) => freeSpace(descriptor).bytes >= atMost)) return undefined;
  const needs = new Map<TargetRoot, number>();
  for (const entry of plannedFiles(plan, view)) {
    const root = target.rootOf(entry.path);
    needs.set(root, (needs.get(root) ?? 0) + storedSize(entry) - replacedSize(target, entry.path));
  }
  for (const root of known) {
    const need = needs.get(root) ?? 0;
    const { bytes: free, compression } = freeSpace(root.descriptor);
    if (need / compression > free) {
      return new Failure('disk_full', `${need} bytes are needed and ${free} are free: ${need - free} too few`, {
        advice: 'Free space, restore fewer paths, restore to another place, or skip this check (--no-space-check).',
      });
    }
  }
  return undefined;
}

/** What a quota leaves, each undefined where there is no limit. */
export interface Room {
  readonly bytes?: number;
  readonly entries?: number;
}

/** Why a plan does not fit into what a quota leaves; undefined when it does. Looks at the single files only when it is tight. */
export function lackOfRoom(plan: Plan, { bytes, entries }: Room, target: Target, view: SnapshotView): Failure | undefined {
  const atMost = plan.bytes + plan.entries * BLOCK;
  if ((bytes ?? Number.POSITIVE_INFINITY) >= atMost && (entries ?? Number.POSITIVE_INFINITY) >= plan.entries) return undefined;
  let need = 0;
  let names = 0;
  for (const entry of plannedFiles(plan, view)) {
    need += storedSize(entry) - replacedSize(target, entry.path);
    if (!target.has(entry.path)) names++;
  }
  if (bytes !== undefined && need > bytes) return beyondQuota(`${need} bytes are needed and the quota of the account leaves ${bytes}`);
  if (entries !== undefined && names > entries)
    return beyondQuota(`${names} new files are needed and the quota of the account leaves ${entries}`);
  return undefined;
}

function beyondQuota(message: string): Failure {
  return new Failure('disk_full', message, { advice: 'Delete something first, restore fewer paths, or have the quota raised.' });
}

function* plannedFiles(plan: Plan, view: SnapshotView): Generator<Entry> {
  for (const { files } of plan.packs) {
    for (let row = 0; row < files.length; row++) {
      const [layer, block] = [files.get(row, FileColumn.layer), files.get(row, FileColumn.block)];
      yield view.entryAt({ layer, block, row: files.get(row, FileColumn.row) });
    }
  }
  for (const table of [plan.large, plan.anew]) {
    for (let row = 0; row < table.length; row++) yield view.entryAt(placeAt(table, row));
  }
}

function storedSize({ size, content }: Entry): number {
  const bytes = content?.sparse === undefined ? size : content.sparse.reduce((sum, { length }) => sum + length, 0);
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

/** What is freed when a file takes this place: nothing as long as another name keeps it. */
function replacedSize(target: Target, path: ByteString): number {
  if (!target.has(path)) return 0;
  const { directory, name } = target.place(path);
  return statAt(directory, name, stat) && stat.isFile && stat.linkCount === 1 ? stat.blocks * STAT_BLOCK : 0;
}
