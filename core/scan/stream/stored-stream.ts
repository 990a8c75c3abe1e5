import type { ByteString, Content } from '../../manifest/entry.ts';
import type { DumpCounts, DumpKind } from './dump-counter.ts';

/** A stream that is to be stored as the content of a file. */
export interface StreamOrder {
  /** What it is read from, up to its end; whoever gave the order closes it when it is answered. */
  readonly descriptor: number;
  /** The file's path in the snapshot. */
  readonly path: ByteString;
  /** Whether the point in time before has no such file: its tar members then have its name. */
  readonly isNew: boolean;
  readonly kind: DumpKind;
  /** One 32-bit number that grows with each read: whoever waits sees whether anything comes. */
  readonly reads: SharedArrayBuffer;
}

/** What became of a stream. */
export interface StoredStream {
  readonly content: Content;
  /** In bytes. */
  readonly size: number;
  readonly counts: DumpCounts;
}
