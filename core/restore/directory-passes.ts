import { Failure } from '../failure.ts';
import { setMode, setOwner } from '../linux/metadata.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { comparePaths } from '../manifest/path-order.ts';
import { finishDirectory, makeDirectory, prepareKept } from './directories.ts';
import { parentPath } from './names.ts';
import type { OutcomeBuilder } from './outcome.ts';
import { isOpaque } from './overlay-attributes.ts';
import type { UpperLayer } from './overlay-layers.ts';
import { DirectoryColumn, DirectoryState, type Plan } from './plan.ts';
import { problemOf, type WriteRules } from './rules.ts';
import type { SnapshotView } from './snapshot-view.ts';
import type { Target } from './target.ts';

const LOW_32_BITS = 0xffff_ffffn;

/** What the passes work with. */
export interface PassContext {
  readonly target: Target;
  readonly view: SnapshotView;
  readonly rules: WriteRules;
  readonly outcome: OutcomeBuilder;
  /** Of a mounted account. */
  readonly upper: UpperLayer | undefined;
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

  /** Makes what is missing, parents first; new directories are closed to everybody but root. */
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
  }

  #makeOne(row: number, entry: Entry): void {
    const { target, rules, upper } = this.#context;
    const isParent = (this.#state(row) & DirectoryState.parent) !== 0;
    const place = target.place(entry.path);
    const overWhiteout = place.overlay && upper?.hasWhiteout(entry.path) === true;
    const { made, inode } = makeDirectory(target, entry.path, rules);
    this.#plan.directories.set(row, DirectoryColumn.state, this.#state(row) | (made ? DirectoryState.made : DirectoryState.kept));
    this.#plan.directories.set(row, DirectoryColumn.inodeHigh, Number(inode >> 32n));
    this.#plan.directories.set(row, DirectoryColumn.inodeLow, Number(inode & LOW_32_BITS));
    if (made && overWhiteout && !isOpaque(entry.xattrs)) this.#reportHiddenLayers(entry.path);
    if (!made)
      prepareKept(target, entry.path, !isParent && rules.overwrite !== 'never' && rules.owner === undefined, (path) =>
        this.#isInSnapshot(path),
      );
  }

  /** The kernel makes a directory opaque that takes the place of a whiteout, and cannot be asked not to. */
  #reportHiddenLayers(path: ByteString): void {
    const message = 'what the layers below have here stays hidden: restore again while the account is not mounted';
    this.#context.outcome.report({ code: 'attribute_refused', message, path });
  }

  #isInSnapshot(path: ByteString): boolean {
    return this.#context.view.find(path) !== undefined;
  }

  /** A directory that the snapshot needs and does not describe, as any administrator would make it, or for the account's owner. */
  #makePlain(path: ByteString): void {
    const { target, rules, outcome } = this.#context;
    try {
      target.directory(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        if (!(error instanceof Failure)) throw error;
        outcome.problems.add(problemOf(path, error));
        return;
      }
      const above = parentPath(path);
      if (above !== '') this.#makePlain(above);
      const { made } = makeDirectory(target, path, rules);
      if (!made) return;
      if (rules.owner !== undefined) setOwner(target.directory(path), rules.owner.folderOwner, rules.owner.group);
      setMode(target.directory(path), 0o755);
    }
  }

  /** Gives directories what the snapshot says of them, children first; `never` leaves alone those that were there. */
  finish(): void {
    const { target, rules, outcome } = this.#context;
    for (let row = this.#plan.directories.length - 1; row >= 0; row--) {
      const state = this.#state(row);
      const isParent = (state & DirectoryState.parent) !== 0;
      const isMade = (state & DirectoryState.made) !== 0;
      if (!isMade && (state & DirectoryState.kept) === 0) continue;
      if (!isMade && isParent) continue;
      if (!isMade && rules.overwrite === 'never') {
        outcome.skipped++;
        continue;
      }
      const entry = this.#entry(row);
      try {
        finishDirectory(target, target.place(entry.path), entry, { made: isMade, inode: this.#inode(row) }, (problem) =>
          outcome.report(problem),
        );
        if (!isParent) outcome.written++;
      } catch (error) {
        outcome.fail(problemOf(entry.path, error));
      }
    }
  }

  #state(row: number): number {
    return this.#plan.directories.get(row, DirectoryColumn.state);
  }

  #inode(row: number): bigint {
    const { directories } = this.#plan;
    return (BigInt(directories.get(row, DirectoryColumn.inodeHigh)) << 32n) | BigInt(directories.get(row, DirectoryColumn.inodeLow));
  }

  #entry(row: number): Entry {
    const { directories } = this.#plan;
    return this.#context.view.entryAt({
      run: directories.get(row, DirectoryColumn.run),
      block: directories.get(row, DirectoryColumn.block),
      row: directories.get(row, DirectoryColumn.row),
    });
  }
}
