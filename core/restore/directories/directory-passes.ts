import { Failure } from '../../failure.ts';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, readInodeFlags, writeInodeFlags } from '../../linux/inode-flags.ts';
import { setMode } from '../../linux/metadata.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { comparePaths } from '../../manifest/path-order.ts';
import { parentPath } from '../../manifest/paths.ts';
import type { OutcomeBuilder } from '../outcome.ts';
import type { UpperLayer } from '../overlay/overlay-layers.ts';
import { DirectoryColumn, DirectoryState, type Plan } from '../plan/plan.ts';
import type { SnapshotView } from '../plan/snapshot-view.ts';
import { problemOf, type WriteRules } from '../rules.ts';

import type { Target } from '../target/target.ts';
import { finishDirectory, type MadeDirectory, makeDirectory, unlock, withDirectory } from './directories.ts';
import type { KnownDirectories } from './known-directories.ts';

const stat = new StatBuffer();
const LOW_32_BITS = 0xffff_ffffn;
const ROOT = 0;

/** What the passes work with. */
export interface PassContext {
  readonly target: Target;
  readonly view: SnapshotView;
  readonly rules: WriteRules;
  readonly outcome: OutcomeBuilder;
  /** Of a mounted account. */
  readonly upper: UpperLayer | undefined;
  /** The directories of this restore; filled by the first pass. */
  readonly known: KnownDirectories;
  /** Whether all that was looked at of the snapshot's manifests could be read. */
  readonly isWhole: boolean;
  readonly signal: AbortSignal;
  /** To be called after each entry. */
  readonly tick: () => void;
}

/** The two passes over directories: making them before their entries, finishing them after. */
export class DirectoryPasses {
  readonly #context: PassContext;
  readonly #plan: Plan;

  constructor(plan: Plan, context: PassContext) {
    this.#plan = plan;
    this.#context = context;
  }

  /** Makes what is missing, parents first; new directories are closed to everybody but their owner. */
  make(): void {
    for (const path of [...this.#plan.plainParents].sort(comparePaths)) this.#makePlain(path);
    const { directories } = this.#plan;
    for (let row = 0; row < directories.length && !this.#context.signal.aborted; row++) {
      const entry = this.#entry(row);
      try {
        this.#makeOne(row, entry);
      } catch (error) {
        // A parent that failed is named by what was to be restored below it.
        if ((this.#state(row) & DirectoryState.parent) === 0) this.#context.outcome.fail(problemOf(entry.path, error));
      }
      this.#context.tick();
    }
    this.#context.known.seal();
  }

  #makeOne(row: number, entry: Entry): void {
    const { target, rules, known } = this.#context;
    const isParent = (this.#state(row) & DirectoryState.parent) !== 0;
    const { made, inode, device } = makeDirectory(target, entry.path, entry, rules, (status) => known.add(status));
    this.#setState(row, made ? DirectoryState.made : DirectoryState.kept);
    this.#set(row, DirectoryColumn.inodeHigh, inode);
    this.#set(row, DirectoryColumn.deviceHigh, device);
    const isChanged = !isParent || (this.#state(row) & DirectoryState.filled) !== 0;
    if (!made && isChanged && rules.owner === undefined) this.#unlock(row, entry.path);
  }

  /** What is immutable or append-only is opened for the restore; `finish` closes it again. */
  #unlock(row: number, path: ByteString): void {
    const flags = unlock(this.#context.target, path);
    if ((flags & FS_IMMUTABLE_FL) !== 0) this.#setState(row, DirectoryState.immutable);
    if ((flags & FS_APPEND_FL) !== 0) this.#setState(row, DirectoryState.appendOnly);
  }

  /** A directory that the snapshot needs and does not describe, as any administrator would make it, or for the account's owner. */
  #makePlain(path: ByteString): void {
    const { target, rules, outcome, known } = this.#context;
    const owner = { uid: rules.owner?.folderOwner ?? ROOT, gid: rules.owner?.group ?? ROOT };
    try {
      statDescriptor(target.directory(path), stat);
      known.add(stat);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        if (!(error instanceof Failure)) throw error;
        outcome.problems.add(problemOf(path, error));
        return;
      }
      const above = parentPath(path);
      if (above !== '') this.#makePlain(above);
      try {
        if (makeDirectory(target, path, owner, rules, (status) => known.add(status)).made) setMode(target.directory(path), 0o755);
      } catch (failure) {
        outcome.problems.add(problemOf(path, failure));
      }
    }
  }

  /** Gives directories what the snapshot says of them, children first; `never` leaves alone those that were there. */
  finish(): void {
    const { rules, outcome } = this.#context;
    for (let row = this.#plan.directories.length - 1; row >= 0; row--) {
      const state = this.#state(row);
      const isParent = (state & DirectoryState.parent) !== 0;
      const isMade = (state & DirectoryState.made) !== 0;
      if (!isMade && (state & DirectoryState.kept) === 0) continue;
      const isLeftAlone = !isMade && (isParent || rules.overwrite === 'never');
      if (isLeftAlone && !isParent) outcome.skipped++;
      const locks = (state & DirectoryState.immutable ? FS_IMMUTABLE_FL : 0) | (state & DirectoryState.appendOnly ? FS_APPEND_FL : 0);
      if (isLeftAlone && locks === 0) continue;
      const entry = this.#entry(row);
      try {
        if (isLeftAlone) this.#lock(row, entry.path, locks);
        else this.#finishOne(row, entry, isMade, locks);
        if (!isLeftAlone && !isParent) outcome.written++;
      } catch (error) {
        outcome.fail(problemOf(entry.path, error));
      }
    }
  }

  #finishOne(row: number, entry: Entry, made: boolean, locks: number): void {
    const { target, rules, outcome, upper } = this.#context;
    try {
      const report = outcome.report.bind(outcome);
      finishDirectory(
        { target, place: target.place(entry.path), entry, directory: { made, ...this.#inode(row) } },
        { rules, report, upper },
      );
    } catch (error) {
      if (locks !== 0) this.#lock(row, entry.path, locks);
      throw error;
    }
  }

  /** Gives a directory that is not changed the protection back that was taken off it. */
  #lock(row: number, path: ByteString, locks: number): void {
    const { target } = this.#context;
    withDirectory(target, target.place(path), path, this.#inode(row), (descriptor) =>
      writeInodeFlags(descriptor, readInodeFlags(descriptor) | locks),
    );
  }

  #state(row: number): number {
    return this.#plan.directories.get(row, DirectoryColumn.state);
  }

  #setState(row: number, bit: number): void {
    this.#plan.directories.set(row, DirectoryColumn.state, this.#state(row) | bit);
  }

  /** Which directory it is. */
  #inode(row: number): Omit<MadeDirectory, 'made'> {
    return { inode: this.#get(row, DirectoryColumn.inodeHigh), device: this.#get(row, DirectoryColumn.deviceHigh) };
  }

  /** A number of 64 bits in this column and the next. */
  #get(row: number, column: number): bigint {
    const { directories } = this.#plan;
    return (BigInt(directories.get(row, column)) << 32n) | BigInt(directories.get(row, column + 1));
  }

  #set(row: number, column: number, value: bigint): void {
    this.#plan.directories.set(row, column, Number(value >> 32n));
    this.#plan.directories.set(row, column + 1, Number(value & LOW_32_BITS));
  }

  #entry(row: number): Entry {
    const { directories } = this.#plan;
    return this.#context.view.entryAt({
      layer: directories.get(row, DirectoryColumn.layer),
      block: directories.get(row, DirectoryColumn.block),
      row: directories.get(row, DirectoryColumn.row),
    });
  }
}
