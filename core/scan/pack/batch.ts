import type { PackNames } from '../../archive/pack-names.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { IndexedManifest } from '../known/unit-contents.ts';
import type { SharedBucket } from '../read/byte-bucket.ts';
import type { ReadEntries } from '../read/read-entries.ts';
import type { StoredStream, StreamOrder } from '../stream/stored-stream.ts';

/** How a worker opens an entry first; what it then finds decides. */
export const OpenAs = { file: 0, directory: 1, handle: 2 } as const;

/** Entries for one worker, in path order. Everything in it is cheap to clone to another thread. */
export interface Batch {
  /** Descriptors of the directories that the entries lie in; valid until the batch is answered. */
  readonly directories: readonly number[];
  readonly directoryOf: Uint32Array;
  readonly names: readonly ByteString[];
  readonly paths: readonly ByteString[];
  /** Of `OpenAs`, one for each entry. */
  readonly openAs: Uint8Array;
}

/** What stands where in the numbers that a worker shares with the main thread, for one unit. */
export const Control = {
  /** Frames that the worker has sent and the main thread has not yet stored. */
  framesUnderWay: 0,
  /** Not zero when the unit was given up, and the worker should end what it is doing. */
  isCancelled: 1,
  /** Not zero while the worker should wait before it reads on. */
  paused: 2,
  /** How much has been read of the batch in hand, in KiB, where it is a large file. */
  read: 3,
} as const;

export function newControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * Object.keys(Control).length);
}

/** What a worker is told when a unit begins. */
export interface UnitTask {
  /** How the packs of this snapshot are called. */
  readonly packNames: PackNames;
  /** One counter for all workers: the last pack number given out. */
  readonly packCounter: SharedArrayBuffer;
  /** 32-bit numbers between the main thread and this worker, see `Control`. */
  readonly control: SharedArrayBuffer;
  /** The rate at which all workers together may read; undefined: no limit. */
  readonly reading: SharedBucket | undefined;
  /** Where to look for contents that need not be stored again; empty for a plain full. */
  readonly known: readonly IndexedManifest[];
}

/** Every message says which unit it is about: `unit` counts the units of a pool, and what is not of the present one is dropped. */
export type ToWorker =
  | { readonly type: 'unit'; readonly unit: number; readonly task: UnitTask }
  | { readonly type: 'batch'; readonly unit: number; readonly number: number; readonly batch: Batch }
  /** The same of one file, whose content is a stream. */
  | { readonly type: 'stream'; readonly unit: number; readonly number: number; readonly stream: StreamOrder }
  /** Nothing more is wanted of the unit; what is left of it is thrown away. */
  | { readonly type: 'end'; readonly unit: number }
  | { readonly type: 'stop' };

export type FromWorker =
  /** A finished zstd frame: number `frame` of this pack, counted from 0. */
  | {
      readonly type: 'frame';
      readonly unit: number;
      readonly pack: number;
      readonly frame: number;
      readonly bytes: Uint8Array;
      readonly decompressedLength: number;
    }
  /** No further frame of this pack will come. */
  | { readonly type: 'full'; readonly unit: number; readonly pack: number }
  /** All frames of the batch were sent before; `tarBytes` are those of the members that it put into them. */
  | { readonly type: 'done'; readonly unit: number; readonly number: number; readonly entries: ReadEntries; readonly tarBytes: number }
  | { readonly type: 'streamed'; readonly unit: number; readonly number: number; readonly stored: StoredStream; readonly tarBytes: number }
  | { readonly type: 'failed'; readonly unit: number; readonly number: number; readonly code: string; readonly message: string };
