import { descriptorLimit } from '../linux/descriptor-limit.ts';
import type { StatBuffer } from '../linux/stat.ts';
import type { ByteString, Entry, ManifestRow } from '../manifest/entry.ts';
import { parentPath } from '../manifest/paths.ts';
import { HardLinks, type LinkLeader } from './compare/hard-links.ts';
import type { HeldDirectory } from './compare/held-directory.ts';
import type { WalkListener } from './compare/tree-comparison.ts';
import type { UnitContents } from './known/unit-contents.ts';
import { BATCH_ENTRIES, BATCHES_PER_WORKER } from './limits.ts';
import { BatchBuilder } from './pack/batch-builder.ts';
import { isTrailingLink } from './pack/trailing.ts';
import type { UnitPacking } from './pack/unit-packing.ts';
import { entryOf, Outcome, type ReadEntries, releaseEntries } from './read/read-entries.ts';

/** Gets what a scan found, in path order. */
export interface ScanOutput {
  /** Whether the row has become one of the snapshot's: not when what it lies in is no directory any more. */
  row(row: ManifestRow): boolean;
  /** The same for a further name of `leader`, whose row came before; `hasMember` says that these packs have a member of that. */
  link(entry: Entry, leader: Entry, hasMember: boolean): boolean;
  problem(path: ByteString, code: string, message: string): void;
  /** The directory `path`, whose row may have come before or not come at all, was not seen completely. */
  unseen(path: ByteString): void;
  /** Bytes of content read from disk. */
  read(bytes: number): void;
}

/** What reads batches: see `UnitPacking`. */
export type BatchReader = Pick<UnitPacking, 'size' | 'read' | 'bytesUnderWay'>;

/** What stands at one place of the order until the workers have answered. */
type Slot =
  | { readonly type: 'row'; readonly row: ManifestRow }
  | {
      readonly type: 'read';
      readonly index: number;
      readonly path: ByteString;
      readonly known: boolean;
      readonly leads: LinkLeader | undefined;
      /** Added to those of a directory. */
      readonly flags: number;
      /** What the walk has counted for it: the size of a file. */
      readonly size: number;
    }
  | {
      readonly type: 'link';
      readonly path: ByteString;
      readonly name: ByteString;
      readonly directory: HeldDirectory;
      readonly stat: StatBuffer;
      readonly known: boolean;
      readonly leader: LinkLeader;
    };

interface Pending {
  readonly slots: readonly Slot[];
  /** Directories among them that the walk has already named as unreadable. */
  readonly unlisted: ReadonlySet<ByteString>;
  readonly answer: Promise<ReadEntries> | undefined;
  readonly builder: BatchBuilder;
  /** Whether the answer has come. */
  isRead: boolean;
}

/**
 * Between the walk and the manifest: cuts the changed entries into batches for the workers and puts their answers back into
 * path order. Memory: the batches under way, whose number is bounded.
 */
export class Collector implements WalkListener {
  readonly #packing: BatchReader;
  readonly #output: ScanOutput;
  readonly #known: UnitContents | undefined;
  readonly #links = new HardLinks();
  readonly #pending: Pending[] = [];
  readonly #limit: number;
  readonly #heldLimit: number;
  /** Directories that are held open for what is not read yet; one can count several times. */
  #held = 0;
  /** What is in the snapshot, less what the walk has counted, of all that was passed on so far. */
  readonly correction = { entries: 0, bytes: 0 };
  #builder = new BatchBuilder();
  #slots: Slot[] = [];
  #unlisted = new Set<ByteString>();

  constructor(packing: BatchReader, output: ScanOutput, known: UnitContents | undefined) {
    this.#packing = packing;
    this.#output = output;
    this.#known = known;
    this.#limit = packing.size * BATCHES_PER_WORKER;
    this.#heldLimit = heldDirectories(packing.size);
  }

  changed(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer, known: boolean, flags: number): void {
    let leads: LinkLeader | undefined;
    if (stat.linkCount > 1 && !stat.isDirectory) {
      const { leader, isFirst } = this.#links.meet(stat.device, stat.inode, stat.linkCount);
      if (!isFirst) {
        this.#held++;
        this.#slots.push({ type: 'link', path, name, directory: directory.hold(), stat: stat.copy(), known, leader });
        return;
      }
      leads = leader;
    }
    const moved = known ? undefined : this.#known?.findMoved(path, stat);
    if (moved !== undefined) {
      if (leads !== undefined) leads.entry = moved;
      this.#push({ type: 'row', row: moved });
      return;
    }
    if (this.#builder.isFull(stat.isFile ? stat.size : 0)) this.#closeBatch();
    const before = this.#builder.directories;
    const size = seenSize(stat);
    this.#slots.push({ type: 'read', index: this.#builder.add(directory, name, path, stat), path, known, leads, flags, size });
    this.#held += this.#builder.directories - before;
  }

  kept(entry: Entry): void {
    this.#push({ type: 'row', row: entry });
  }

  unseen(path: ByteString): void {
    this.#output.unseen(path);
  }

  deleted(path: ByteString): void {
    this.#push({ type: 'row', row: { path, kind: 'tombstone' } });
  }

  problem(path: ByteString, code: string, message: string): void {
    this.#output.problem(path, code, message);
    // What the walk may not list is refused to the worker as well: it is named once.
    const last = this.#slots.at(-1);
    if (code === 'unreadable' && last?.type === 'read' && last.path === path) this.#unlisted.add(path);
  }

  /** Whether the walk should wait until older batches have been answered. */
  get isCrowded(): boolean {
    return this.#pending.length >= this.#limit || this.#held >= this.#heldLimit;
  }

  /** What was changed and is not read yet: entries, and the sizes of the files among them. */
  get unread(): { readonly entries: number; readonly bytes: number } {
    const builders = [...this.#pending.filter(({ isRead }) => !isRead).map(({ builder }) => builder), this.#builder];
    const sum = (of: (builder: BatchBuilder) => number): number => builders.reduce((total, builder) => total + of(builder), 0);
    // A large file takes minutes.
    const bytes = sum(({ fileBytes }) => fileBytes);
    return { entries: sum(({ length }) => length), bytes: Math.max(0, bytes - this.#packing.bytesUnderWay) };
  }

  /** Waits for the oldest batch and passes its rows on. */
  async drainOne(): Promise<void> {
    if (this.#pending.length === 0) this.#closeBatch();
    const oldest = this.#pending.shift();
    if (oldest === undefined) return;
    try {
      let answer = await oldest.answer;
      let first = 0;
      for (const slot of oldest.slots) {
        if (slot.type === 'read' && answer?.outcomes[slot.index - first] === Outcome.postponed) {
          this.#reportAll(answer, first, oldest);
          first = slot.index;
          answer = await this.#packing.read(oldest.builder.rest(first));
        }
        await this.#settle(slot, answer, first);
      }
      if (answer !== undefined) this.#reportAll(answer, first, oldest);
    } finally {
      this.#held -= release(oldest);
    }
  }

  #reportAll(answer: ReadEntries, first: number, { builder, unlisted }: Pending): void {
    this.#report(answer, first, builder, unlisted);
    releaseEntries(answer);
  }

  /** Passes on what the workers noticed of the entries from `first` on, but not twice that a directory cannot be read. */
  #report(answer: ReadEntries, first: number, builder: BatchBuilder, unlisted: ReadonlySet<ByteString>): void {
    this.#output.read(answer.bytesRead);
    for (const { index, code, message } of answer.problems) {
      const path = builder.pathOf(first + index);
      if (code !== 'unreadable' || !unlisted.has(path)) this.#output.problem(path, code, message);
    }
  }

  /** To be called when the walk is over: everything that is still under way. Calls `onDrained` after each batch. */
  async finish(onDrained: () => void): Promise<void> {
    this.#closeBatch();
    while (this.#pending.length > 0) {
      await this.drainOne();
      onDrained();
    }
  }

  /**
   * Lets go of every descriptor when a scan is given up. Waits until the workers have answered: they open by number, and the
   * number of a closed descriptor may be given to another file.
   */
  async close(): Promise<void> {
    const pending = this.#pending.splice(0);
    await Promise.allSettled(pending.map(({ answer }) => answer));
    for (const each of [...pending, { slots: this.#slots, builder: this.#builder }]) release(each);
    this.#slots = [];
  }

  #push(slot: Slot): void {
    if (this.#slots.length >= BATCH_ENTRIES) this.#closeBatch();
    this.#slots.push(slot);
  }

  #closeBatch(): void {
    if (this.#slots.length === 0) return;
    const builder = this.#builder;
    const answer = builder.length === 0 ? undefined : this.#packing.read(builder.finish());
    const pending: Pending = { slots: this.#slots, unlisted: this.#unlisted, answer, builder, isRead: false };
    this.#pending.push(pending);
    const isRead = (): void => {
      pending.isRead = true;
    };
    answer?.then(isRead, isRead);
    this.#slots = [];
    this.#unlisted = new Set();
    this.#builder = new BatchBuilder();
  }

  /** `answer` is about the entries from `first` on. */
  async #settle(slot: Slot, answer: ReadEntries | undefined, first: number): Promise<void> {
    if (slot.type === 'row') {
      const { row } = slot;
      if (row.kind === 'tombstone') this.#output.row(row);
      else this.#correct(this.#output.row(row), fileSize(row), fileSize(row));
    } else if (slot.type === 'read') {
      this.#settleRead(slot, answer as ReadEntries, first);
    } else if (slot.leader.entry !== undefined && isOneFile(slot.leader.entry, slot.stat)) {
      const { entry, hasMember } = slot.leader;
      this.#correct(this.#output.link({ ...entry, path: slot.path }, entry, hasMember), fileSize(entry), seenSize(slot.stat));
    } else await this.#readAfresh(slot);
  }

  #settleRead({ index, path, known, leads, flags, size }: Slot & { type: 'read' }, answer: ReadEntries, first: number): void {
    const entry = entryOf(answer, index - first, path);
    if (leads !== undefined) {
      leads.entry = entry;
      leads.hasMember = answer.members[index - first] === 1;
    }
    if (entry !== undefined) {
      const isThere = this.#output.row(entry.kind === 'directory' ? { ...entry, flags: entry.flags | flags } : entry);
      if (leads !== undefined && isThere && entry.linkTarget !== undefined && isTrailingLink(entry)) leads.hasMember = true;
      this.#correct(isThere, fileSize(entry), size);
    } else if (answer.outcomes[index - first] === Outcome.unreadable) {
      // What is there and could not be read stays as the previous state has it.
      this.#output.unseen(parentPath(path));
      this.#correct(known, size, size);
    } else {
      this.#correct(false, 0, size);
      if (known) this.#output.row({ path, kind: 'tombstone' });
    }
  }

  /** The walk has counted an entry, and `seen` bytes: it is there with `written` bytes, or not at all. */
  #correct(isThere: boolean, written: number, seen: number): void {
    if (!isThere) this.correction.entries--;
    this.correction.bytes += (isThere ? written : 0) - seen;
  }

  /**
   * The first name of a hard link had vanished when it came to be read, or was another file by then, or this one is one that was given
   * the inode since: this is the first now.
   */
  async #readAfresh(slot: Slot & { type: 'link' }): Promise<void> {
    const builder = new BatchBuilder();
    const index = builder.add(slot.directory, slot.name, slot.path, slot.stat);
    try {
      const answer = await this.#packing.read(builder.finish());
      await this.#settle(
        { type: 'read', index, path: slot.path, known: slot.known, leads: slot.leader, flags: 0, size: seenSize(slot.stat) },
        answer,
        0,
      );
      this.#report(answer, 0, builder, new Set());
    } finally {
      builder.release();
    }
  }
}

/** The bytes of an entry: only files have any. */
function fileSize({ kind, size }: Pick<Entry, 'kind' | 'size'>): number {
  return kind === 'file' ? size : 0;
}

function seenSize(stat: StatBuffer): number {
  return stat.isFile ? stat.size : 0;
}

/** Whether what was seen under another name is the file that was read, and not one that changed or was given the inode since. */
function isOneFile(entry: Entry, stat: StatBuffer): boolean {
  if (stat.kind !== entry.kind || stat.ctime !== entry.ctime || stat.mtime !== entry.mtime) return false;
  return seenSize(stat) === fileSize(entry);
}

/** Lets go of the directories of a batch, and tells how many there were. */
function release({ slots, builder }: Pick<Pending, 'slots' | 'builder'>): number {
  let held = builder.directories;
  builder.release();
  for (const slot of slots) {
    if (slot.type !== 'link') continue;
    slot.directory.release();
    held++;
  }
  return held;
}

/** What else the process has open: for each thread its own, packs and manifests that are written, directories on the way down. */
const OTHER_DESCRIPTORS = 400;
const OF_A_THREAD = 24;
const FEWEST = 32;

/** How many directories may be held open at once, so that the limit of the process is never met. */
function heldDirectories(threads: number): number {
  return Math.max(FEWEST, descriptorLimit() - OTHER_DESCRIPTORS - threads * OF_A_THREAD);
}
