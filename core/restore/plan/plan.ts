import type { ByteString } from '../../manifest/entry.ts';
import type { Problem } from '../rules.ts';
import type { RowPlace } from './snapshot-view.ts';
import type { WordTable } from './word-table.ts';

/** Columns of `Plan.directories`; inode and device are two words each. */
export const DirectoryColumn = { layer: 0, block: 1, row: 2, state: 3, inodeHigh: 4, deviceHigh: 6, width: 8 } as const;
/**
 * What became of a directory: made or kept; a parent of chosen paths, and whether one is directly in it; and the protection that was
 * taken off it until the end.
 */
export const DirectoryState = { missing: 0, made: 1, kept: 2, parent: 4, filled: 8, immutable: 16, appendOnly: 32 } as const;

/** Columns of `PackPlan.files`: which frame a file begins in and where its entry stands. */
export const FileColumn = { frame: 0, layer: 1, block: 2, row: 3, width: 4 } as const;

/** The files of one pack that lie in a single frame. */
export interface PackPlan {
  readonly pack: string;
  readonly files: WordTable;
}

/** An entry with several names that was not written under this one. */
export interface LostName extends RowPlace {
  /** Whether it cannot be written under another name either. */
  readonly lacksContent: boolean;
}

/** Everything that a restore will do, a few words an entry. Tables of three columns hold layer, block and row. */
export interface Plan {
  /** Directories that the entries need and the snapshot does not have; only in the unit `system`. */
  readonly plainParents: ReadonlySet<ByteString>;
  readonly directories: WordTable;
  /** Empty files, links, FIFOs, sockets and devices. */
  readonly singles: WordTable;
  readonly packs: readonly PackPlan[];
  /** Files in more than one frame. */
  readonly large: WordTable;
  /** First names whose file must not stay what it is, as somebody has another name of it. */
  readonly anew: WordTable;
  /** Second and later names: layer, block and row of the first name, then of the later one. */
  readonly links: WordTable;
  /** First names that are immutable or append-only: protected when all names are there. */
  readonly lateFlags: WordTable;
  /** Entries that cannot be restored at all, and which of them have further names. */
  readonly problems: readonly Problem[];
  readonly lost: readonly LostName[];
  readonly entries: number;
  /** Entries that are there and stay as they are (`overwrite: never`). */
  readonly skipped: number;
  /** Of file content. */
  readonly bytes: number;
}

/** The place that stands in a table of layer, block and row; `group` chooses between several in one line. */
export function placeAt(table: WordTable, line: number, group = 0): RowPlace {
  const column = group * 3;
  return { layer: table.get(line, column), block: table.get(line, column + 1), row: table.get(line, column + 2) };
}
