import { Failure } from '../../failure.ts';
import { letGo, readLinkAt } from '../../linux/files.ts';
import { readInodeFlags } from '../../linux/inode-flags.ts';
import { readProjectId } from '../../linux/project-id.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { SystemError } from '../../linux/system-error.ts';
import { readXattrsUpTo } from '../../linux/xattrs.ts';
import { type Entry, EntryFlags, type Xattr } from '../../manifest/entry.ts';
import { byte, word } from '../../manifest/format/columns.ts';
import { ROW_BYTES_MAX } from '../../manifest/format/limits.ts';
import { bytesOfContent } from '../../manifest/write/block-builder.ts';
import { BATCH_ATTRIBUTE_BYTES, ENTRY_ATTRIBUTE_BYTES, LARGE_FILE } from '../limits.ts';
import type { Batch } from '../pack/batch.ts';
import type { ContentStore, KeptEntry, PendingContent } from '../pack/content-store.ts';
import type { StoredFile } from './large-file.ts';
import { type OpenedEntry, openEntry } from './opened-entry.ts';
import { ReadAhead } from './read-ahead.ts';
import { metadataOf, type ReadEntriesBuilder } from './read-entries.ts';
import { Patience, waitUntilSettled } from './settle.ts';
import { StoredBytes } from './stored-bytes.ts';

/** How often an entry is read when it changes meanwhile. */
const ATTEMPTS = 3;

/**
 * Reads the entries of a batch in a worker: properties, extended attributes and content, each through one descriptor, and
 * hands content and tar members to the store. Whatever is wrong with one entry is noted, and the next one goes on.
 */
export class EntryReader {
  readonly #store: ContentStore;
  readonly #patience = new Patience();
  readonly #stat = new StatBuffer();
  readonly #after = new StatBuffer();

  constructor(store: ContentStore) {
    this.#store = store;
  }

  read(batch: Batch, results: ReadEntriesBuilder): void {
    // Where reading is held back, nothing is read beyond that.
    const ahead = this.#store.pace === undefined ? new ReadAhead(batch) : undefined;
    for (let index = 0; index < batch.names.length; index++) {
      this.#store.throwIfCancelled();
      ahead?.advanceTo(index);
      this.#readAny(batch, index, results);
      results.close(index);
      if (results.attributeBytes > BATCH_ATTRIBUTE_BYTES) {
        results.postpone(index + 1);
        return;
      }
    }
  }

  /** Whatever the file system answers concerns this entry alone, and so does a defect that it brings to light. */
  #readAny(batch: Batch, index: number, results: ReadEntriesBuilder): void {
    try {
      this.#readOne(batch, index, results);
    } catch (error) {
      if (error instanceof Failure) throw error;
      const message = (error as Error).message;
      if (error instanceof SystemError) results.addUnreadable(index, 'unreadable', `it could not be read: ${message}`);
      else results.addUnreadable(index, 'internal', `a defect of this program left it out: ${message}`);
    }
  }

  #readOne(batch: Batch, index: number, results: ReadEntriesBuilder): void {
    const directory = batch.directories[word(batch.directoryOf, index)] as number;
    const [stat, after] = [this.#stat, this.#after];
    let earlier: StoredFile | undefined;
    for (let attempt = 1; ; attempt++) {
      const opened = openEntry(directory, batch.names[index] as string, byte(batch.openAs, index), stat);
      if (opened === undefined) {
        results.problem(index, 'vanished', 'it was gone when it came to be read');
        return;
      }
      try {
        const settled = waitUntilSettled(stat, this.#patience);
        if (settled === 'waited') statDescriptor(opened.descriptor, stat);
        const entry = describe(batch, index, opened, settled !== 'unsettled', results);
        const reading = this.#tryContent(entry, opened, earlier, index, results);
        statDescriptor(opened.descriptor, after);
        const changed = !after.hasChangeTimeOf(stat) || !reading.complete;
        results.bytesRead += reading.bytes;
        if (changed && attempt < ATTEMPTS) {
          earlier = reading.stored ?? earlier;
          continue;
        }
        if (changed && entry.kind === 'file') {
          results.problem(index, 'changed_while_read', 'it changed each time it was read; the last reading was kept');
        }
        const kept = keep(reading, (message) => results.problem(index, 'unsupported', message));
        results.add(index, stat, complete(entry, kept.content, changed), kept.hasMember);
        return;
      } finally {
        letGo(opened.descriptor);
      }
    }
  }

  #tryContent(
    entry: Entry,
    opened: OpenedEntry,
    earlier: StoredFile | undefined,
    index: number,
    results: ReadEntriesBuilder,
  ): PendingContent {
    try {
      return this.#readContent(entry, opened, earlier);
    } catch (error) {
      if (error instanceof Failure && error.code === 'cancelled') throw error;
      if (!(error instanceof Failure || error instanceof SystemError)) throw error;
      results.problem(index, 'unreadable', `its content could not be read: ${error.message}`);
      return { complete: true, bytes: 0, keep: () => NOTHING };
    }
  }

  #readContent(entry: Entry, opened: OpenedEntry, earlier: StoredFile | undefined): PendingContent {
    if (entry.kind !== 'file' || entry.size === 0) return this.#withoutContent(() => this.#store.addMember(entry));
    // Only the metadata is known: a member would give an empty file for one that is not.
    if (!opened.readable) return this.#withoutContent(() => false);
    if (entry.size === Number.MAX_SAFE_INTEGER) throw new Failure('unsupported', `it is as long as ${entry.size} bytes or longer`);
    const source = new StoredBytes(opened.descriptor, opened.stat, this.#store.pace);
    if (source.length < LARGE_FILE) return this.#store.readSmall(entry, source);
    return this.#store.storeLarge(entry, source, earlier);
  }

  #withoutContent(add: () => boolean): PendingContent {
    return { complete: true, bytes: 0, keep: () => ({ content: undefined, hasMember: add() }) };
  }
}

const NOTHING: KeptEntry = { content: undefined, hasMember: false };

function keep(reading: PendingContent, problem: (message: string) => void): KeptEntry {
  try {
    const kept = reading.keep();
    if (kept.content === undefined || bytesOfContent(kept.content) <= ROW_BYTES_MAX) return kept;
    problem('it has more pieces than can be recorded of one file');
    return { ...kept, content: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problem(error.message);
    return NOTHING;
  }
}

/** The entry with its content, or with a flag that says what is wrong with it. */
function complete(entry: Entry, content: KeptEntry['content'], changed: boolean): Entry {
  const isFile = entry.kind === 'file';
  let flags = entry.flags;
  if (isFile && entry.size > 0 && content === undefined) flags |= EntryFlags.contentMissing;
  if (changed) flags |= isFile ? EntryFlags.changedWhileRead : EntryFlags.unsettled;
  return content === undefined ? { ...entry, flags } : { ...entry, flags, content };
}

/** Everything about the entry but its content. */
function describe(batch: Batch, index: number, opened: OpenedEntry, settled: boolean, results: ReadEntriesBuilder): Entry {
  const metadata = metadataOf(opened.stat, batch.paths[index] as string);
  let flags = settled ? 0 : EntryFlags.unsettled;
  const missing = (what: string, error: unknown): void => {
    flags |= EntryFlags.attributesMissing;
    results.problem(index, 'unreadable', `${what} could not be read: ${(error as Error).message}`);
  };
  let xattrs: Xattr[] = [];
  let inodeFlags = 0;
  let projectId = 0;
  try {
    const read = readXattrsUpTo(opened.descriptor, ENTRY_ATTRIBUTE_BYTES);
    xattrs = read.xattrs;
    if (!read.isComplete) missing('all of its extended attributes', new Error(`they take more than ${ENTRY_ATTRIBUTE_BYTES} bytes`));
  } catch (error) {
    missing('its extended attributes', error);
  }
  if (opened.readable) {
    try {
      inodeFlags = readInodeFlags(opened.descriptor);
      projectId = readProjectId(opened.descriptor);
    } catch (error) {
      missing('its inode flags', error);
    }
  } else if (metadata.kind === 'file' || metadata.kind === 'directory') {
    flags |= EntryFlags.attributesMissing;
    results.problem(index, 'unreadable', `it could not be opened: ${(opened.refusal as Error | undefined)?.message ?? 'refused'}`);
  }
  const entry = { ...metadata, xattrs, inodeFlags, flags, ...(projectId === 0 ? {} : { projectId }) };
  if (metadata.kind !== 'symlink') return entry;
  try {
    const linkTarget = readLinkAt(opened.descriptor, '');
    if (linkTarget === '') throw new Error('it is empty');
    return { ...entry, linkTarget };
  } catch (error) {
    results.problem(index, 'unreadable', `its target could not be read: ${(error as Error).message}`);
    return { ...entry, flags: flags | EntryFlags.contentMissing };
  }
}
