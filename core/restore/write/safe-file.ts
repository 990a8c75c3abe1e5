import { fsyncSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { beginWriteback, closeDescriptor, nameUnnamed, openAt, openUnnamed, setLength } from '../../linux/files.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../../linux/flags.ts';
import { readProjectId, writeProjectId } from '../../linux/project-id.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import { writeAll } from '../../linux/write-all.ts';
import type { ByteString, DataRange, Entry } from '../../manifest/entry.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import { type Report, refusalsOf, type Witness, type WriteRules } from '../rules.ts';
import { stagedName } from '../target/names.ts';
import { discard, publish } from '../target/publish.ts';
import type { Place } from '../target/target.ts';
import { writeHarmlessFlags, writeNewAttributes, writeProject, writeProtectingFlags } from './attributes.ts';

/** In bytes. Files from here on go to the disk while the next ones are written, so that the end has less to wait for. */
const WORTH_BEGINNING = 512 * 1024;

const stat = new StatBuffer();

/**
 * A regular file on its way, which gets content and attributes through its descriptor and takes its place when it is complete. It has no
 * name until then, or where the file system has no such files one in the staging folder. Nothing that exists is ever opened for writing.
 */
export class SafeFile {
  readonly #place: Place;
  readonly #staged: ByteString;
  readonly #descriptor: number;
  readonly #isUnnamed: boolean;
  readonly #entry: Entry;
  readonly #rules: WriteRules;
  readonly #report: Report;
  readonly #ranges: readonly DataRange[];
  #isStaged = false;
  #range = 0;
  #inRange = 0;

  /** The directory of `place` must stay open until `finish` or `abandon`. */
  constructor(place: Place, entry: Entry, rules: WriteRules, report: Report) {
    this.#place = place;
    this.#entry = entry;
    this.#rules = rules;
    this.#report = report;
    this.#ranges = entry.content?.sparse ?? [{ offset: 0, length: entry.size }];
    this.#staged = stagedName();
    const unnamed = place.unnamedFiles === true ? openUnnamed(place.directory, 0o600) : undefined;
    this.#isUnnamed = unnamed !== undefined;
    this.#descriptor = unnamed ?? openAt(place.staging, this.#staged, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    try {
      writeHarmlessFlags(this.#descriptor, entry, place, refusalsOf(entry.path, report));
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Writes the next stored bytes where they belong: one after the other, or into the data ranges of a sparse file. */
  append(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      const range = this.#ranges[this.#range];
      if (range === undefined) throw new Failure('digest_mismatch', 'more content than the entry has', { affected: [this.#entry.path] });
      const length = Math.min(range.length - this.#inRange, data.length - at);
      writeAll(this.#descriptor, data.subarray(at, at + length), range.offset + this.#inRange);
      at += length;
      this.#inRange += length;
      if (this.#inRange === range.length) {
        this.#range++;
        this.#inRange = 0;
      }
    }
  }

  /**
   * Sets owner, mode, extended attributes and time and puts the file in its place. `protect` false leaves the immutable and
   * append-only flags for later, when further names of the file have to be linked first. `witness` learns which file it is. What it replaces is
   * gone only when it is on the disk.
   */
  finish(protect: boolean, witness?: Witness): void {
    if (!this.takesFreePlace()) {
      if (this.#entry.size > 0) this.sync();
      this.replace();
    }
    this.settle(protect, witness);
  }

  /** The first part of `finish`: false when something stands in its place. Then `sync`, `replace` and `settle` follow. */
  takesFreePlace(): boolean {
    return this.#orGiveUp(() => {
      if (this.#entry.size >= WORTH_BEGINNING) beginWriteback(this.#descriptor);
      if (this.#entry.content?.sparse !== undefined) setLength(this.#descriptor, this.#entry.size);
      writeNewAttributes(this.#descriptor, this.#entry, this.#place, refusalsOf(this.#entry.path, this.#report));
      return this.#withProject(() => this.#hasTakenFreePlace());
    });
  }

  /** Has the disk begin with it, so that several are waited for together. */
  beginSync(): void {
    beginWriteback(this.#descriptor);
  }

  /** Waits until it is on the disk: else a power failure could leave less than the whole of it, and nothing of what it replaces. */
  sync(): void {
    this.#orGiveUp(() => fsyncSync(this.#descriptor));
  }

  /** Puts it in the place of what stands there. */
  replace(): void {
    this.#orGiveUp(() => this.#withProject(() => this.#publish()));
  }

  /** The last part. */
  settle(protect: boolean, witness?: Witness): void {
    const refuse = refusalsOf(this.#entry.path, this.#report);
    try {
      writeProject(this.#descriptor, this.#entry, this.#place, refuse);
      if (witness !== undefined) {
        statDescriptor(this.#descriptor, stat);
        witness(stat);
      }
      if (protect) writeProtectingFlags(this.#descriptor, this.#entry, refuse);
    } finally {
      closeDescriptor(this.#descriptor);
    }
  }

  #orGiveUp<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** A directory that gives its project to what is new in it takes a file of the same project only. */
  #withProject<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      if (errorCode(error) !== 'EXDEV') throw error;
      writeProjectId(this.#descriptor, readProjectId(this.#place.directory));
      return action();
    }
  }

  #hasTakenFreePlace(): boolean {
    const { directory, name } = this.#place;
    checkDirectory(directory, this.#rules.owner);
    if (this.#isUnnamed) return name !== '' && nameUnnamed(this.#descriptor, directory, name);
    if (name !== '' && statAt(directory, name, stat)) return false;
    this.#publish();
    return true;
  }

  /** A file without a name gets one in the staging folder, from which it can be renamed over what stands there. */
  #publish(): void {
    if (this.#isUnnamed && !this.#isStaged) this.#isStaged = nameUnnamed(this.#descriptor, this.#place.staging, this.#staged);
    publish(this.#staged, this.#place, this.#entry.path, this.#rules);
  }

  /** Drops the unfinished file. */
  abandon(): void {
    closeDescriptor(this.#descriptor);
    discard(this.#place.staging, this.#staged);
  }
}
