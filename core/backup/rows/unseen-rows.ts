import { type ByteString, EntryFlags, type ManifestRow } from '../../manifest/entry.ts';
import { findMerged } from '../../manifest/merge/merged-entries.ts';
import { comparePaths } from '../../manifest/path-order.ts';
import type { ManifestReader } from '../../manifest/read/manifest-reader.ts';

/**
 * The rows of a scan with `notAllSeen` on the directories `unseen`: of one that did not change and has no row, that of the
 * `previous` state is taken. One that is no directory any more needs no flag.
 */
export function* flagUnseen(
  rows: Iterable<ManifestRow>,
  unseen: ReadonlySet<ByteString>,
  previous: readonly ManifestReader[],
): Generator<ManifestRow> {
  const paths = [...unseen].sort(comparePaths);
  let next = 0;
  for (const row of rows) {
    for (; next < paths.length && comparePaths(paths[next] as ByteString, row.path) < 0; next++) {
      yield* unchangedFlagged(paths[next] as ByteString, previous);
    }
    if (paths[next] !== row.path) yield row;
    else {
      next++;
      yield row.kind === 'directory' ? { ...row, flags: row.flags | EntryFlags.notAllSeen } : row;
    }
  }
  for (; next < paths.length; next++) yield* unchangedFlagged(paths[next] as ByteString, previous);
}

function* unchangedFlagged(path: ByteString, previous: readonly ManifestReader[]): Generator<ManifestRow> {
  const entry = findMerged(previous, path);
  if (entry?.kind === 'directory') yield { ...entry, flags: entry.flags | EntryFlags.notAllSeen };
}
