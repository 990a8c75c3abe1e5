import type { ExcludeRules } from '../../exclude/exclude-rules.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { ReaderTask } from './tree-reader.ts';

/** What a reader thread is told when a unit begins. */
export interface UnitReading {
  readonly task: ReaderTask;
  readonly exclude: ExcludeRules;
  /** Where segments begin, in order; the first one begins at the top. */
  readonly cuts: readonly ByteString[];
  /** Shared by the main thread and all readers, see `ReadControl`. */
  readonly control: SharedArrayBuffer;
}

/** What the thread itself is given when it starts. */
export interface ReaderSlot {
  readonly number: number;
  readonly readerCount: number;
  readonly pages: SharedArrayBuffer;
  readonly pageCount: number;
  readonly pageRows: number;
}

/** Every message says which unit it is about: `unit` counts the units of a pool, and what is not of the present one is dropped. */
export type ToReader = { readonly type: 'unit'; readonly unit: number; readonly reading: UnitReading } | { readonly type: 'stop' };

export type FromReader =
  /** Every segment of the unit is taken, and this reader has finished its own; or the unit was given up. */
  | { readonly type: 'idle'; readonly unit: number }
  | { readonly type: 'failed'; readonly unit: number; readonly code: string; readonly message: string };
