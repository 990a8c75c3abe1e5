import type { ByteString, Entry } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { childPath, parentPath } from '../../manifest/paths.ts';

import type { SelectedEntry } from './snapshot-view.ts';

/** What stands in a directory. */
export interface Listing {
  readonly names: readonly ByteString[];
  /** Why what the snapshot does not have here has to stay; undefined where it may go. */
  readonly unknown?: ByteString;
}

interface OpenDirectory {
  readonly path: ByteString;
  readonly names: Set<ByteString>;
  readonly unknown: ByteString | undefined;
}

/** What stands in a restored directory and is not in the snapshot. */
export interface Extraneous {
  readonly path: ByteString;
  /** Why it has to stay: the snapshot's run did not see all that was in its directory. */
  readonly unknown: ByteString | undefined;
}

/**
 * The paths that stand in restored directories and are not in the snapshot. `listing` gives the names that count in a directory;
 * undefined when none do. Keeps one listing a level. Chosen directories only: those above a chosen path keep what they have.
 */
export function* findExtraneous(
  selected: Iterable<SelectedEntry>,
  listing: (directory: Entry) => Listing | undefined,
): Generator<Extraneous> {
  const open: OpenDirectory[] = [];
  for (const { entry, isParent } of selected) {
    while (open.length > 0 && !isWithin(entry.path, (open.at(-1) as OpenDirectory).path)) yield* remaining(open.pop() as OpenDirectory);
    const above = open.at(-1);
    if (above !== undefined && above.path === parentPath(entry.path)) above.names.delete(entry.path.slice(above.path.length + 1));
    if (entry.kind !== 'directory' || isParent) continue;
    const found = listing(entry);
    if (found !== undefined) open.push({ path: entry.path, names: new Set(found.names), unknown: found.unknown });
  }
  while (open.length > 0) yield* remaining(open.pop() as OpenDirectory);
}

function* remaining({ path, names, unknown }: OpenDirectory): Generator<Extraneous> {
  for (const name of names) yield { path: childPath(path, name), unknown };
}
