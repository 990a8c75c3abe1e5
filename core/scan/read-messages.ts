import type { ByteString } from '../manifest/entry.ts';
import type { LeftOutRules } from '../manifest/left-out-rules.ts';
import type { ReaderTask } from './tree-reader.ts';

/** What a reader thread is told when a unit begins. */
export interface UnitReading {
  readonly task: ReaderTask;
  readonly leftOut: LeftOutRules;
  /** Where segments begin, in order; the first one begins at the top. */
  readonly cuts: readonly ByteString[];
  /** Shared by the main thread and all readers, see `ReadControl`. */
  readonly control: SharedArrayBuffer;
}

/** What the thread itself is given when it starts. */
export interface ReaderSeat {
  readonly number: number;
  readonly readerCount: number;
  readonly pages: SharedArrayBuffer;
  readonly pageCount: number;
  readonly pageRows: number;
}

export type ToReader = { readonly type: 'unit'; readonly reading: UnitReading } | { readonly type: 'stop' };

export type FromReader =
  /** Every segment of the unit is taken, and this reader has finished its own; or the unit was given up. */
  { readonly type: 'idle' } | { readonly type: 'failed'; readonly code: string; readonly message: string };
