import { Failure } from '../../failure.ts';
import { releaseBuffer } from '../../linux/allocator.ts';
import { StatBuffer } from '../../linux/stat.ts';
import type { ByteString, Content, DataRange, Entry, Extent, Xattr } from '../../manifest/entry.ts';
import { byte, word } from '../../manifest/format/columns.ts';

/** Bytes of `struct statx` up to and including the device numbers. */
const STAT_LENGTH = 144;
const DIGEST_LENGTH = 32;
const NUMBERS_PER_EXTENT = 4;
const COMMON_SET_BYTES = 4096;

/** What became of an entry of a batch. */
export const Outcome = {
  /** It was gone. */
  vanished: 0,
  read: 1,
  /** It is there, but nothing is known of it: a problem says why. */
  unreadable: 2,
  /** It was not looked at: what came before takes enough memory. */
  postponed: 3,
} as const;

/** Something that went wrong with one entry of a batch. */
export interface EntryProblem {
  readonly index: number;
  readonly code: 'vanished' | 'unreadable' | 'unsupported' | 'changed_while_read' | 'internal';
  readonly message: string;
}

/**
 * What a worker read about the entries of a batch, in columns, so that it passes between threads without a copy and
 * without an object per entry.
 */
export interface ReadEntries {
  /** Of `Outcome`. */
  readonly outcomes: Uint8Array;
  readonly stats: Uint8Array;
  readonly flags: Uint8Array;
  readonly inodeFlags: Uint32Array;
  /** Of those that belong to a project. */
  readonly projectIds: ReadonlyMap<number, number>;
  /** 0 for none, else one more than an index into `xattrSets`. */
  readonly xattrSet: Uint32Array;
  readonly xattrSets: readonly (readonly Xattr[])[];
  readonly linkTargets: ReadonlyMap<number, ByteString>;
  /** 1 for those that have a tar member under their name in these packs. */
  readonly members: Uint8Array;
  readonly sparse: ReadonlyMap<number, readonly DataRange[]>;
  /** One for each entry, zeros where there is no content. */
  readonly digests: Uint8Array;
  /** Entry i has the extents `extentEnds[i - 1]` up to `extentEnds[i]`. */
  readonly extentEnds: Uint32Array;
  /** Pack index, frame, offset and length of each extent. */
  readonly extents: Float64Array;
  readonly extentDigests: Uint8Array;
  readonly packs: readonly string[];
  readonly problems: readonly EntryProblem[];
  readonly bytesRead: number;
}

/** Collects `ReadEntries` in the worker, entry by entry in batch order. */
export class ReadEntriesBuilder {
  readonly #count: number;
  readonly #outcomes: Uint8Array<ArrayBuffer>;
  readonly #stats: Uint8Array<ArrayBuffer>;
  readonly #flags: Uint8Array<ArrayBuffer>;
  readonly #inodeFlags: Uint32Array<ArrayBuffer>;
  readonly #projectIds = new Map<number, number>();
  readonly #xattrSet: Uint32Array<ArrayBuffer>;
  readonly #xattrSets: (readonly Xattr[])[] = [];
  readonly #xattrSetNumbers = new Map<string, number>();
  readonly #linkTargets = new Map<number, ByteString>();
  readonly #members: Uint8Array<ArrayBuffer>;
  readonly #sparse = new Map<number, readonly DataRange[]>();
  readonly #digests: Uint8Array<ArrayBuffer>;
  readonly #extentEnds: Uint32Array<ArrayBuffer>;
  readonly #extents: number[] = [];
  readonly #extentDigests: Buffer[] = [];
  readonly #packs: string[] = [];
  readonly #problems: EntryProblem[] = [];
  bytesRead = 0;
  /** Of the sets of extended attributes that will pass to the main thread. */
  attributeBytes = 0;

  constructor(count: number) {
    this.#count = count;
    this.#outcomes = new Uint8Array(count);
    this.#stats = new Uint8Array(count * STAT_LENGTH);
    this.#flags = new Uint8Array(count);
    this.#inodeFlags = new Uint32Array(count);
    this.#xattrSet = new Uint32Array(count);
    this.#members = new Uint8Array(count);
    this.#digests = new Uint8Array(count * DIGEST_LENGTH);
    this.#extentEnds = new Uint32Array(count);
  }

  /** `hasMember` says that these packs have a tar member of its name. */
  add(index: number, stat: StatBuffer, entry: Entry, hasMember: boolean): void {
    this.#outcomes[index] = Outcome.read;
    this.#members[index] = hasMember ? 1 : 0;
    this.#stats.set(stat.bytes.subarray(0, STAT_LENGTH), index * STAT_LENGTH);
    this.#flags[index] = entry.flags;
    this.#inodeFlags[index] = entry.inodeFlags;
    if (entry.projectId !== undefined) this.#projectIds.set(index, entry.projectId);
    if (entry.xattrs.length > 0) this.#xattrSet[index] = this.#numberOf(entry.xattrs);
    if (entry.linkTarget !== undefined) this.#linkTargets.set(index, entry.linkTarget);
    if (entry.content !== undefined) this.#addContent(index, entry.content);
  }

  /** Accounts repeat a few sets on thousands of files: each set passes to the main thread once a batch. */
  #numberOf(xattrs: readonly Xattr[]): number {
    const bytes = xattrs.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    // A set as long as this is nobody else's, and its key would be as long.
    if (bytes > COMMON_SET_BYTES) {
      this.attributeBytes += bytes;
      return this.#xattrSets.push(xattrs);
    }
    const key = xattrs.map(({ name, value }) => `${name}\0${value.length}\0${value.latin1Slice()}`).join('\0');
    let number = this.#xattrSetNumbers.get(key);
    if (number === undefined) {
      this.attributeBytes += bytes;
      number = this.#xattrSets.push(xattrs);
      this.#xattrSetNumbers.set(key, number);
    }
    return number;
  }

  #addContent(index: number, content: Content): void {
    this.#digests.set(content.digest, index * DIGEST_LENGTH);
    if (content.sparse !== undefined) this.#sparse.set(index, content.sparse);
    for (const extent of content.extents) {
      let pack = this.#packs.lastIndexOf(extent.pack);
      if (pack < 0) pack = this.#packs.push(extent.pack) - 1;
      this.#extents.push(pack, extent.frame, extent.offset, extent.length);
      this.#extentDigests.push(extent.digest);
    }
  }

  /** Ends entry `index`; to be called for every entry, present or not, in order. */
  close(index: number): void {
    this.#extentEnds[index] = this.#extents.length / NUMBERS_PER_EXTENT;
  }

  /** Says that nothing could be learned of an entry. */
  addUnreadable(index: number, code: 'unreadable' | 'internal', message: string): void {
    this.#outcomes[index] = Outcome.unreadable;
    this.problem(index, code, message);
  }

  /** Leaves the entries from `first` on for another batch; ends the answer. */
  postpone(first: number): void {
    this.#outcomes.fill(Outcome.postponed, first);
    for (let index = first; index < this.#count; index++) this.close(index);
  }

  problem(index: number, code: EntryProblem['code'], message: string): void {
    this.#problems.push({ index, code, message });
  }

  /** The columns, and the buffers among them that can be handed over instead of copied. */
  finish(): { entries: ReadEntries; transfer: ArrayBuffer[] } {
    const entries = {
      outcomes: this.#outcomes,
      stats: this.#stats,
      flags: this.#flags,
      inodeFlags: this.#inodeFlags,
      projectIds: this.#projectIds,
      xattrSet: this.#xattrSet,
      xattrSets: this.#xattrSets,
      linkTargets: this.#linkTargets,
      members: this.#members,
      sparse: this.#sparse,
      digests: this.#digests,
      extentEnds: this.#extentEnds,
      extents: Float64Array.from(this.#extents),
      extentDigests: joinDigests(this.#extentDigests),
      packs: this.#packs,
      problems: this.#problems,
      bytesRead: this.bytesRead,
    };
    const transfer = [this.#stats.buffer, this.#digests.buffer, entries.extents.buffer, entries.extentDigests.buffer];
    return { entries, transfer: this.#count === 0 ? [] : transfer };
  }
}

function joinDigests(digests: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(digests.length * DIGEST_LENGTH);
  digests.forEach((digest, index) => {
    joined.set(digest, index * DIGEST_LENGTH);
  });
  return joined;
}

const stat = new StatBuffer();
const NO_XATTRS: readonly Xattr[] = [];

/** Entry `index` as an object with its full path; undefined when it was not read. */
export function entryOf(read: ReadEntries, index: number, path: ByteString): Entry | undefined {
  if (read.outcomes[index] !== Outcome.read) return undefined;
  stat.bytes.set(read.stats.subarray(index * STAT_LENGTH, (index + 1) * STAT_LENGTH));
  const set = word(read.xattrSet, index);
  return {
    ...metadataOf(stat, path),
    xattrs: set === 0 ? NO_XATTRS : restoreBuffers(read.xattrSets[set - 1] as readonly Xattr[]),
    inodeFlags: word(read.inodeFlags, index),
    flags: byte(read.flags, index),
    ...optional('projectId', read.projectIds.get(index)),
    ...optional('linkTarget', read.linkTargets.get(index)),
    ...optional('content', contentOf(read, index)),
  };
}

/** Frees the columns at once instead of at some garbage collection; no entry can be made of them any more. */
export function releaseEntries({ stats, digests, extents, extentDigests }: ReadEntries): void {
  for (const column of [stats, digests, extents, extentDigests]) releaseBuffer(column);
}

/** The part of an entry that statx tells. */
export function metadataOf(from: StatBuffer, path: ByteString): Omit<Entry, 'xattrs' | 'inodeFlags' | 'flags'> {
  const kind = from.kind;
  return {
    path,
    kind,
    mode: from.mode,
    uid: from.uid,
    gid: from.gid,
    size: kind === 'file' || kind === 'symlink' ? from.size : 0,
    mtime: from.mtime,
    ctime: from.ctime,
    device: from.device,
    inode: from.inode,
    linkCount: from.linkCount,
    ...(kind === 'character-device' || kind === 'block-device' ? { deviceNumber: from.deviceNumber } : {}),
  };
}

function contentOf(read: ReadEntries, index: number): Content | undefined {
  const begin = index === 0 ? 0 : word(read.extentEnds, index - 1);
  const end = word(read.extentEnds, index);
  const sparse = read.sparse.get(index);
  if (begin === end && sparse === undefined) return undefined;
  const extents: Extent[] = [];
  for (let extent = begin; extent < end; extent++) {
    const at = extent * NUMBERS_PER_EXTENT;
    const pack = read.packs[read.extents[at] as number];
    if (pack === undefined) throw new Failure('internal', `an extent lies in pack ${read.extents[at]} of ${read.packs.length}`);
    extents.push({
      pack,
      frame: read.extents[at + 1] as number,
      offset: read.extents[at + 2] as number,
      length: read.extents[at + 3] as number,
      digest: Buffer.from(read.extentDigests.subarray(extent * DIGEST_LENGTH, (extent + 1) * DIGEST_LENGTH)),
    });
  }
  const digest = Buffer.from(read.digests.subarray(index * DIGEST_LENGTH, (index + 1) * DIGEST_LENGTH));
  return { digest, extents, ...optional('sparse', sparse) };
}

/** A Buffer arrives from another thread as a plain Uint8Array. */
function restoreBuffers(xattrs: readonly Xattr[]): Xattr[] {
  return xattrs.map(({ name, value }) => ({ name, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) }));
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
