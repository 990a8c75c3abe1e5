import { letGo, openTrustedDirectory } from '../../linux/files.ts';
import { usedSpace } from '../../linux/space.ts';
import type { SnapshotRecord } from '../../repository/record.ts';
import type { ScanRoot } from '../../scan/walk/scan-roots.ts';

/** What every account may take, and what it may take for each entry and byte that it had: ten times what the slowest disks need. */
const FOR_ANY = 6 * 3600 * 1000;
const FOR_AN_ENTRY = 2;
const BYTES_IN_A_MILLISECOND = 2 * 1024;

/**
 * By how much the files of an account may exceed what the file systems hold, by compression and shared blocks; the rest is holes, which
 * nobody reads.
 */
const SIZE_TO_BLOCKS = 16;

/**
 * How long the walk of a unit may take, in milliseconds: so that a tree that grows ahead of it, or a listing without end, ends with
 * this account. By what the last snapshot had, as far as its sizes can be more than holes; the first time by what the file systems hold in
 * all. `readRate`: bytes a second that may be read.
 */
export function timeBudget(roots: readonly ScanRoot[], last: SnapshotRecord | undefined, readRate: number | undefined): number {
  const held = heldBy(roots);
  const { entries, bytes } =
    last === undefined ? held : { entries: last.counts.entries, bytes: Math.min(last.bytes.total, SIZE_TO_BLOCKS * held.bytes) };
  const pace = Math.min(BYTES_IN_A_MILLISECOND, (readRate ?? Number.POSITIVE_INFINITY) / 2000);
  return FOR_ANY + entries * FOR_AN_ENTRY + bytes / pace;
}

function heldBy(roots: readonly ScanRoot[]): { entries: number; bytes: number } {
  const sum = { entries: 0, bytes: 0 };
  for (const parent of new Set(roots.map((root) => root.parent))) {
    const descriptor = openTrustedDirectory(parent);
    try {
      const used = usedSpace(descriptor);
      sum.entries += used.inodes;
      sum.bytes += used.bytes;
    } finally {
      letGo(descriptor);
    }
  }
  return sum;
}
