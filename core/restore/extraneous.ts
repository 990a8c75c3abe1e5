import type { ByteString, Entry } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { childPath, parentPath } from './names.ts';
import type { SelectedEntry } from './snapshot-view.ts';

interface OpenDirectory {
  readonly path: ByteString;
  readonly names: Set<ByteString>;
}

/**
 * The paths that stand in restored directories and are not in the snapshot. `listing` gives the names that count in a directory;
 * undefined when none do. Keeps one listing a level. Chosen directories only: those above a chosen path keep what they have.
 */
export function* findExtraneous(
  selected: Iterable<SelectedEntry>,
  listing: (directory: Entry) => readonly ByteString[] | undefined,
): Generator<ByteString> {
  const open: OpenDirectory[] = [];
  for (const { entry, isParent } of selected) {
    while (open.length > 0 && !isWithin(entry.path, (open.at(-1) as OpenDirectory).path)) yield* remaining(open.pop() as OpenDirectory);
    const above = open.at(-1);
    if (above !== undefined && above.path === parentPath(entry.path)) above.names.delete(entry.path.slice(above.path.length + 1));
    if (entry.kind !== 'directory' || isParent) continue;
    const names = listing(entry);
    if (names !== undefined) open.push({ path: entry.path, names: new Set(names) });
  }
  while (open.length > 0) yield* remaining(open.pop() as OpenDirectory);
}

function* remaining({ path, names }: OpenDirectory): Generator<ByteString> {
  for (const name of names) yield childPath(path, name);
}
