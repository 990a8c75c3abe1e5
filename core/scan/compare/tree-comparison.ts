import { StatBuffer } from '../../linux/stat.ts';
import { type ByteString, type Entry, EntryFlags } from '../../manifest/entry.ts';
import { word } from '../../manifest/format/columns.ts';
import { FILE } from '../../manifest/format/kinds.ts';
import type { MergedTree } from '../../manifest/merge/merged-tree.ts';
import { sameStat } from '../../manifest/read/stat-columns.ts';
import { Note, type RowPage } from '../walk/row-page.ts';
import { arrangeRoots, isScanRoot, type ScanRoot } from '../walk/scan-roots.ts';
import { SeenDirectories } from '../walk/seen-directories.ts';
import { MAXIMUM_DEPTH, PATH_BYTES_LIMIT } from '../walk/tree-reader.ts';
import { ComparedLevels, LostDirectory, MOVED } from './compared-levels.ts';
import type { HeldDirectory } from './held-directory.ts';
import { hasIdentity, identityOf } from './inode-identity.ts';

/** What a walk tells, in the order of paths. */
export interface WalkListener {
  /**
   * An entry that is new (or was not `known`) or differs from the previous state; `stat` is valid during the call. `flags` are
   * those of `EntryFlags` that a directory gets: `notAllSeen`, or none.
   */
  changed(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer, known: boolean, flags: number): void;
  /** A directory of the previous state that cannot be looked at now, with the flag that says so: it stays as it was. */
  kept(entry: Entry): void;
  /** Not all that is in this directory was seen, which showed only after the directory itself was told, or found unchanged. */
  unseen(path: ByteString): void;
  /** A path that was there and is not, or is excluded now; everything below it is gone, too. */
  deleted(path: ByteString): void;
  problem(path: ByteString, code: 'unreadable' | 'mount_skipped' | 'unsupported', message: string): void;
  /** Whether so much is under way that the walk should wait; asked after a change. Left out: it never should. */
  readonly isCrowded?: boolean;
}

/** A directory that turned out to be another one: nothing in it is told any more, and the previous state of it stays. */
interface Loss {
  readonly depth: number;
  readonly problem: string | undefined;
}

/**
 * Compares what readers saw with the previous state, and reports the differences. An unchanged entry costs the comparison of
 * a few words, and no descriptor.
 */
export class TreeComparison {
  /** Entries seen so far, and the sizes of the files among them: 2^53 - 1 stands for more as well. */
  entries = 0;
  bytes = 0;
  readonly #listener: WalkListener;
  readonly #previous: MergedTree | undefined;
  readonly #levels = new ComparedLevels();
  readonly #stat = new StatBuffer();
  readonly #seen = new SeenDirectories();
  readonly #elsewhere: ReadonlySet<ByteString>;
  #loss: Loss | undefined;
  /** Whether a change was told since the listener was asked whether it is crowded. */
  #hasTold = false;
  #isEnded = false;

  /** Without a `previous` state everything counts as new. What it has `elsewhere`, names beside the roots, is none of this walk's. */
  constructor(
    roots: readonly ScanRoot[],
    previous: MergedTree | undefined,
    listener: WalkListener,
    elsewhere: ReadonlySet<ByteString> = new Set(),
  ) {
    this.#elsewhere = elsewhere;
    this.#listener = listener;
    this.#previous = previous;
    const wasThere = previous !== undefined;
    this.#levels.push({ name: '', path: '', identity: undefined, virtual: arrangeRoots(roots), wasThere, directory: undefined });
  }

  /**
   * Takes a page of the walk from the row `from` on. Returns its count, or earlier the row to go on with, when the listener is
   * crowded.
   */
  take(page: RowPage, from = 0): number {
    const count = page.count;
    for (let row = from; row < count; row++) {
      if (this.#hasTold) {
        this.#hasTold = false;
        if (this.#listener.isCrowded === true) return row;
      }
      const note = page.note(row);
      const depth = page.depth(row);
      if (note === Note.resumed || note === Note.missing) this.#rejoin(page, row, depth, note);
      else {
        this.#leaveTo(depth);
        // What is below a directory that was not there for the reader before, or is lost.
        if (this.#levels.depth - 1 < depth || this.#isLost(depth)) continue;
        if (note === Note.lost) this.#loss = { depth, problem: MOVED };
        else this.#visit(page, row, depth, this.#isMoved(page, row, note) ? Note.moved : note);
      }
    }
    return count;
  }

  /** To be called when the walk is over: the rest of the previous state has gone. */
  finish(): void {
    this.#leaveTo(-1);
  }

  /** Takes no more: whatever the previous state has from here on stays, and the directories that the walk is in count as not all seen. */
  endEarly(problem: string): void {
    let deepest: ByteString = '';
    for (let depth = 0; depth < this.#levels.depth; depth++) {
      const { path, virtual } = this.#levels.at(depth) as { path: ByteString; virtual: unknown };
      if (virtual !== undefined) continue;
      this.#listener.unseen(path);
      deepest = path;
    }
    this.#listener.problem(deepest, 'unreadable', problem);
    this.#isEnded = true;
  }

  /** Lets go of every descriptor. */
  close(): void {
    this.#levels.clear();
  }

  /** A reader has come anew to a directory in the middle of which another reader has stopped. */
  #rejoin(page: RowPage, row: number, depth: number, note: number): void {
    const level = this.#levels.at(depth + 1);
    // The one that stands there may be finished, or the reader before has not seen this one.
    if (level?.name !== page.name(row)) this.#leaveTo(depth);
    else if (note === Note.missing || (level.identity !== undefined && !hasIdentity(level.identity, page.words, page.at(row)))) {
      this.#leaveTo(depth + 1);
      if (!this.#isLost(depth + 1)) this.#loss = { depth: depth + 1, problem: MOVED };
    }
  }

  /** Leaves the directories below the one at `depth`. */
  #leaveTo(depth: number): void {
    while (this.#levels.depth - 1 > depth) this.#leave();
  }

  #isLost(depth: number): boolean {
    return this.#isEnded || (this.#loss !== undefined && depth >= this.#loss.depth);
  }

  /** Each reader knows what it has entered itself, and not what the others have. */
  #isMoved(page: RowPage, row: number, note: number): boolean {
    return note === Note.entered && !this.#seen.add(page.words, page.at(row));
  }

  #visit(page: RowPage, row: number, depth: number, note: number): void {
    const level = this.#levels.at(depth) as { path: ByteString };
    const name = page.name(row);
    const known = this.#catchUp(depth, name);
    if (note === Note.virtual) {
      this.#enterVirtual(depth, name, known);
      return;
    }
    if (note === Note.unreadable || note === Note.covered) {
      this.#passOver(depth, join(level.path, name), note, page.message(row), known);
      return;
    }
    this.entries++;
    if (page.isFile(row)) this.#addBytes(page.size(row));
    const isAllSeen = note === Note.entered || (note === Note.entry && !page.isDirectory(row));
    if (isAllSeen) {
      if (!(known && this.#isUnchanged(page, row)) && !this.#reportChanged(page, row, depth, name, known, 0)) return;
    } else if (note === Note.mounted && known && this.#knowsDirectory()) this.#keepDirectory();
    else if (!this.#reportChanged(page, row, depth, name, known, EntryFlags.notAllSeen)) return;
    if (note === Note.entered) {
      this.#enter(page, row, depth, name, known);
      return;
    }
    if (note !== Note.entry) this.#reportNotEntered(join(level.path, name), note, page.message(row));
    if (!known) return;
    if (isAllSeen) this.#previous?.skip();
    else this.#keepBelow();
  }

  /** A name that cannot be looked at: whatever the previous state has there stays. */
  #passOver(depth: number, path: ByteString, note: number, message: string, known: boolean): void {
    const { listener, level } = { listener: this.#listener, level: this.#levels.at(depth) };
    if (note === Note.covered) listener.problem(path, 'mount_skipped', 'something else is mounted over it, which is skipped');
    else listener.problem(path, 'unreadable', message);
    // Above the roots there is no entry that could be marked.
    if (level?.virtual === undefined) listener.unseen(level?.path ?? '');
    if (!known) return;
    this.#count();
    this.#keepBelow();
  }

  #knowsDirectory(): boolean {
    return this.#previous?.currentIsContext === false && this.#previous.currentIsDirectory;
  }

  /** Below a mount the directory itself cannot be seen either. */
  #keepDirectory(): void {
    const entry = (this.#previous as MergedTree).entry();
    this.#listener.kept({ ...entry, flags: entry.flags | EntryFlags.notAllSeen });
  }

  /** What the previous state has below where it stands stays, and counts. */
  #keepBelow(): void {
    const previous = this.#previous as MergedTree;
    if (!previous.currentIsDirectory) {
      previous.skip();
      return;
    }
    const depth = previous.depth;
    previous.descend();
    while (previous.depth > depth) {
      if (previous.peek() === undefined) previous.ascend();
      else {
        this.#count();
        if (previous.currentIsDirectory) previous.descend();
        else previous.skip();
      }
    }
  }

  /** Counts the entry of the previous state that stays. */
  #count(): void {
    const previous = this.#previous as MergedTree;
    if (previous.currentIsContext) return;
    this.entries++;
    const { block, row } = previous.current;
    if (block.kind[row] === FILE) this.#addBytes(word(block.size, 2 * row + 1) * 0x1_0000_0000 + word(block.size, 2 * row));
  }

  #addBytes(bytes: number): void {
    this.bytes = Math.min(this.bytes + bytes, Number.MAX_SAFE_INTEGER);
  }

  /** Reports what the previous state has before `name`; whether it has `name` itself. */
  #catchUp(depth: number, name: ByteString | undefined): boolean {
    const previous = this.#previous;
    const level = this.#levels.at(depth);
    if (previous === undefined || level?.wasThere !== true) return false;
    const isLost = this.#isLost(depth);
    for (let known = previous.peek(); known !== undefined; known = previous.peek()) {
      if (name !== undefined && known >= name) return known === name;
      const isElsewhere = depth === 0 && this.#elsewhere.has(known);
      if (!isLost && !isElsewhere) this.#listener.deleted(join(level.path, known));
      previous.skip();
    }
    return false;
  }

  #isUnchanged(page: RowPage, row: number): boolean {
    const previous = this.#previous as MergedTree;
    if (previous.currentIsContext) return false;
    const { block, row: knownRow } = previous.current;
    // Any flag says that the entry was not read as it should have been.
    return block.flags[knownRow] === 0 && sameStat(block, knownRow, page.words, page.at(row));
  }

  /** False when the directory that the entry was seen in is lost. */
  #reportChanged(page: RowPage, row: number, depth: number, name: ByteString, known: boolean, flags: number): boolean {
    const level = this.#levels.at(depth);
    const isRoot = level?.virtual !== undefined;
    const directory = isRoot ? this.#levels.openParentOf(name, depth) : this.#levels.open(depth);
    if (directory instanceof LostDirectory) {
      this.#loss = directory;
      return false;
    }
    try {
      page.copyStat(row, this.#stat);
      const entry = isRoot ? this.#levels.entryOf(name, depth) : name;
      this.#listener.changed(directory, entry, join(level?.path ?? '', name), this.#stat, known, flags);
      this.#hasTold = true;
    } finally {
      if (isRoot) directory.release();
    }
    return true;
  }

  #reportNotEntered(path: ByteString, note: number, message: string): void {
    if (note === Note.mounted) {
      this.#listener.problem(path, 'mount_skipped', 'something else is mounted here; its contents are skipped');
    } else if (note === Note.subvolume) {
      this.#listener.problem(path, 'mount_skipped', 'a subvolume of its own begins here; its contents are skipped');
    } else if (note === Note.moved) {
      this.#listener.problem(
        path,
        'unreadable',
        'it was met at another place before, and moved here meanwhile; its contents are skipped here',
      );
    } else if (note === Note.tooDeep) {
      this.#listener.problem(
        path,
        'unsupported',
        `it lies deeper than ${MAXIMUM_DEPTH} directories, or its path is longer than ${PATH_BYTES_LIMIT} bytes; its contents are skipped`,
      );
    } else this.#listener.problem(path, 'unreadable', `it could not be listed: ${message}`);
  }

  #enter(page: RowPage, row: number, depth: number, name: ByteString, known: boolean): void {
    const path = join(this.#levels.at(depth)?.path ?? '', name);
    const wasThere = known && this.#previous?.currentIsDirectory === true;
    if (wasThere) this.#previous?.descend();
    else if (known) this.#previous?.skip();
    const identity = identityOf(page.words, page.at(row));
    this.#levels.push({ name, path, identity, virtual: undefined, wasThere, directory: undefined });
  }

  #enterVirtual(depth: number, name: ByteString, known: boolean): void {
    const above = this.#levels.at(depth);
    const virtual = above?.virtual?.children.get(name);
    if (virtual === undefined || isScanRoot(virtual)) throw new RangeError(`${name} is not above the roots`);
    if (known) this.#previous?.descend();
    const path = join(above?.path ?? '', name);
    this.#levels.push({ name, path, identity: undefined, virtual, wasThere: known, directory: undefined });
  }

  #leave(): void {
    const depth = this.#levels.depth - 1;
    const { path, wasThere } = this.#levels.at(depth) as { path: ByteString; wasThere: boolean };
    this.#catchUp(depth, undefined);
    if (this.#loss?.depth === depth) {
      if (this.#loss.problem !== undefined) this.#listener.problem(path, 'unreadable', this.#loss.problem);
      this.#listener.unseen(path);
      this.#loss = undefined;
    }
    this.#levels.pop();
    if (wasThere && depth > 0) this.#previous?.ascend();
  }
}

function join(directory: ByteString, name: ByteString): ByteString {
  return directory === '' ? name : `${directory}/${name}`;
}
