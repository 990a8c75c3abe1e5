/** What one call changed of the tree, in the words of the model of a disk. Paths are absolute. */
export type Change =
  | { readonly kind: 'file' | 'folder' | 'gone' | 'synced'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: Buffer }
  /** A file that had no name; whether what it has now was synced before. */
  | { readonly kind: 'named'; readonly path: string; readonly bytes: Buffer; readonly isSynced: boolean }
  | { readonly kind: 'content'; readonly path: string; readonly bytes: Buffer }
  | { readonly kind: 'linked' | 'renamed'; readonly path: string; readonly to: string }
  | { readonly kind: 'all synced' };

/** A call that is about to change something: called once it was carried out, it says what. */
export type Changing = () => readonly Change[];

/** What meets each changing call, before and after it is carried out; `nth`: the number of the call, from 1. */
export interface Watch {
  readonly before: (nth: number, call: string) => void;
  readonly after: (nth: number, changes: Changing) => void;
}

/** The same as the layer calls it: it does not know how many there were. */
export interface Meeting {
  /** Returns the number of the call. */
  readonly before: (call: string) => number;
  readonly after: (nth: number, changes: Changing) => void;
}

/** Nothing that the model of a disk knows, but a call that changes something all the same: an owner, an attribute. */
export const UNMODELLED: Changing = () => [];
