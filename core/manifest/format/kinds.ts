import { Failure } from '../../failure.ts';
import type { EntryKind } from '../entry.ts';

/** The numbers of the `kind` column. */
export const CONTEXT = 0;
export const TOMBSTONE = 1;
export const FILE = 2;
export const DIRECTORY = 3;
export const SYMLINK = 4;
/** The first of the two kinds of devices, which are the last of all. */
export const CHARACTER_DEVICE = 7;

const ENTRY_KINDS: readonly EntryKind[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'character-device', 'block-device'];

const NUMBERS = new Map<EntryKind, number>(ENTRY_KINDS.map((kind, index) => [kind, index + FILE]));

export const KIND_LIMIT = FILE + ENTRY_KINDS.length;

export function kindNumber(kind: EntryKind): number {
  const number = NUMBERS.get(kind);
  if (number === undefined) throw new Failure('internal', `there is no kind of entry ${kind}`);
  return number;
}

/** Undefined for context rows and tombstones, which are no entries. */
export function entryKind(kind: number): EntryKind | undefined {
  return ENTRY_KINDS[kind - FILE];
}

/** Whether rows may follow one level below a row of this kind. */
export function holdsChildren(kind: number): boolean {
  return kind === DIRECTORY || kind === CONTEXT;
}
