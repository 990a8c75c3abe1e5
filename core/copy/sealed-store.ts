import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { ObjectWriter, WriteMode } from '../repository/backends/backend.ts';
import { letGoOfObject } from '../repository/kept-objects.ts';
import { ObjectOutput } from '../repository/object-output.ts';
import type { Repository } from '../repository/repository.ts';
import { type CopyWork, checkCancelled } from './copier.ts';
import { type SentObject, SentObjects } from './sent-objects.ts';

/** The place of a copy for other recipients: what is there, what was sent, and what is stored now. Paths are those of the target. */
export class SealedStore {
  readonly target: Repository;
  /** What is there, with its length. */
  readonly listed: Map<string, number>;
  readonly sent: SentObjects;
  /** The lengths that objects had when they were sent which are there in another one. */
  readonly #cut: ReadonlyMap<string, number>;
  readonly #work: CopyWork;

  constructor(target: Repository, listed: Map<string, number>, work: CopyWork) {
    this.target = target;
    this.listed = listed;
    this.sent = new SentObjects(target, listed);
    this.#cut = cutObjects(this.sent, listed);
    this.#work = work;
  }

  checkCancelled(): void {
    checkCancelled(this.#work.signal);
  }

  /** Stores a document, which is signed already. */
  async document(path: string, bytes: Buffer): Promise<void> {
    const { target } = this;
    const before = this.#begin(path);
    const writer = this.#work.throttle(await target.backend.create(target.nameOf(path), modeOf(before)));
    try {
      await writer.write(bytes);
      await this.#commit({ path, length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }, writer, before);
    } finally {
      await writer.abort();
    }
  }

  /** Stores a manifest or a pack: encrypts what `write` gives, which says what else is to be known of it. */
  async object(path: string, write: (output: ObjectOutput) => Promise<Pick<SentObject, 'index'>>): Promise<void> {
    const before = this.#begin(path);
    const options = { withContent: true, mode: modeOf(before), through: this.#work.throttle };
    const output = await ObjectOutput.create(this.target, path, options);
    try {
      const more = await write(output);
      await this.#commit({ ...(await output.finish()), ...more }, output, before);
    } finally {
      await output.abort();
    }
  }

  async remove(path: string): Promise<void> {
    await this.target.removeObject(path);
    this.listed.delete(path);
    this.sent.forget(path);
  }

  /** The length of what is there now, in whose place another is going to be. */
  #begin(path: string): number | undefined {
    this.checkCancelled();
    const before = this.listed.get(path);
    if (before !== undefined) this.sent.forget(path);
    this.sent.settle();
    if (before === undefined) return undefined;
    // What a repair kept would be put back.
    letGoOfObject(this.target.stateFolder, this.target.nameOf(path));
    return before;
  }

  /**
   * What is new is remembered first, so that it is not sent again by whoever is stopped behind it. In the place of another that cannot be: its length could
   * be the same.
   */
  async #commit(object: SentObject, writer: Pick<ObjectWriter, 'commit'> | ObjectOutput, before: number | undefined): Promise<void> {
    const { path, length } = object;
    if (before === undefined) this.sent.add(object);
    try {
      await writer.commit();
    } catch (error) {
      // Not what was remembered: somebody else stored it.
      if (error instanceof Failure && error.code === 'object_exists') this.sent.forget(path);
      throw error;
    }
    this.listed.set(path, length);
    if (before !== undefined) this.sent.add(object);
    this.#work.copied.add(length);
    const expected = this.#cut.get(path);
    if (expected !== undefined && before !== undefined) this.#work.copied.again(this.target.nameOf(path), before, expected);
  }
}

function modeOf(before: number | undefined): WriteMode {
  return before === undefined ? 'new' : 'replacing';
}

function cutObjects(sent: SentObjects, listed: ReadonlyMap<string, number>): Map<string, number> {
  const cut = new Map<string, number>();
  for (const path of sent.paths) {
    const length = sent.everSent(path)?.length;
    if (length !== undefined && listed.has(path) && listed.get(path) !== length) cut.set(path, length);
  }
  return cut;
}
