import type { FailureCode } from '../../failure.ts';
import type { StoredFrame } from '../content/pack-cache.ts';
import type { KnownDirectoriesData } from '../directories/known-directories.ts';
import type { ChainManifest } from '../plan/manifest-files.ts';
import type { LostName } from '../plan/plan.ts';
import type { RowPlace } from '../plan/snapshot-view.ts';
import type { Problem, RulesData } from '../rules.ts';
import type { TargetRoot } from '../target/target.ts';
import type { Inode } from '../write/hard-links.ts';

/** Numbers that name a row of a manifest: layer, block and row. */
export const WORDS_PER_ROW = 3;

/** What a writing thread knows from its start. */
export interface WriterData {
  readonly roots: readonly TargetRoot[];
  readonly rules: RulesData;
  readonly manifests: readonly ChainManifest[];
  /** The directories that are restored; complete before the first task comes. */
  readonly known: KnownDirectoriesData;
}

/** Something to write. */
export type WriteTask =
  /** Entries that need no pack: layer, block and row of each. */
  | { readonly type: 'singles'; readonly rows: Uint32Array }
  /** Files that lie in one frame: layer, block and row of each. Without `stored` the frame is asked for when it is needed. */
  | {
      readonly type: 'frame';
      readonly pack: string;
      readonly frame: number;
      readonly rows: Uint32Array;
      readonly stored?: StoredFrame;
    }
  /** A file that lies in several frames. */
  | { readonly type: 'file'; readonly place: RowPlace }
  /** An entry that has to be written anew whatever stands there. */
  | { readonly type: 'anew'; readonly place: RowPlace };

/** The answer to a request for a frame. */
export interface Supply {
  readonly type: 'supply';
  readonly pack: string;
  readonly frame: number;
  readonly stored?: StoredFrame;
  readonly failure?: { readonly code: FailureCode; readonly message: string };
}

/** An entry with several names that is there, and which inode it is. */
export interface LinkedEntry extends Inode {
  readonly place: RowPlace;
}

/** What became of a task. */
export interface WriteResult {
  readonly written: number;
  /** Entries that were already as in the snapshot. */
  readonly unchanged: number;
  /** Of the content of written files. */
  readonly bytes: number;
  /** Entries that went with directories which had to make room. */
  readonly cleared: number;
  readonly problems: readonly Problem[];
  /** Entries with several names that could not be written, so that no other name is linked to what stands there. */
  readonly lost: readonly LostName[];
  /** Which inodes the others with several names are. */
  readonly linked: readonly LinkedEntry[];
}

export type ToWriter =
  /** `number` comes back with the answer. */
  | { readonly type: 'task'; readonly number: number; readonly task: WriteTask }
  | Supply
  /** To let go of everything and end, after the tasks sent before. */
  | { readonly type: 'stop' };

export type FromWriter =
  | { readonly type: 'need'; readonly pack: string; readonly frame: number }
  | { readonly type: 'done'; readonly number: number; readonly result: WriteResult }
  /** Of no entry: what the thread leaves behind as it ends. */
  | { readonly type: 'left'; readonly problem: Problem };
