import { createHash } from 'node:crypto';
import { decompressFrame } from '../archive/frame.ts';
import { PackReader } from '../archive/pack-reader.ts';
import { TarReader } from '../archive/tar-reader.ts';
import { asFailure } from '../failure.ts';
import type { ObjectReference } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectContent } from '../repository/server-folder.ts';
import { damagedContent } from './damage.ts';
import type { ExtentReference } from './extent-table.ts';
import { type ReferenceProblem, StretchDigests } from './stretch-digests.ts';
import type { ReadingWatch } from './watch.ts';

/** What is read at once behind the last frame. */
const PART = 4 * 1024 * 1024;

/** Who hears of what is wrong with a pack, and of each reference whose content is not there as recorded. */
export interface PackProblems {
  readonly pack: (error: unknown) => void;
  readonly reference: ReferenceProblem;
}

/**
 * Reads one pack from its beginning to its end and compares it with what the record says (length, SHA-256), with the formats
 * (each frame, the tar archive) and with the content that `references`, sorted by place, expect in it. A frame that is
 * damaged does not keep the following ones from being checked. Holds one frame at a time.
 */
export async function checkPack(
  repository: Repository,
  expected: ObjectReference,
  references: Iterable<ExtentReference>,
  problems: PackProblems,
  watch: ReadingWatch,
): Promise<void> {
  const stretches = new StretchDigests(references, problems.reference);
  try {
    const size = await repository.objectSize(expected.path);
    if (size === undefined) throw damagedContent('the pack is missing');
    if (size !== expected.length) problems.pack(damagedContent(`the pack has ${size} bytes, ${expected.length} were stored`));
    const sha256 = await readThrough(repository, expected.path, size, stretches, problems, watch);
    if (sha256 !== expected.sha256) problems.pack(damagedContent('the bytes of the pack are not the recorded ones'));
    stretches.failRest(damagedContent('the pack ends before this content does'));
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'cancelled' || failure.code === 'internal') throw failure;
    problems.pack(failure);
    stretches.failRest(failure);
  }
}

/** Passes every frame to `stretches` and returns the SHA-256 (hexadecimal) of the whole object. */
async function readThrough(
  repository: Repository,
  path: string,
  size: number,
  stretches: StretchDigests,
  problems: PackProblems,
  watch: ReadingWatch,
): Promise<string> {
  const whole = new PassingDigest((offset, length) => repository.readObject(path, offset, length));
  const content = await repository.openContent(path, size, (offset, length) => whole.read(offset, length));
  const reader = await PackReader.open(content.length, content.read);
  const archive = new ArchiveCheck(problems);
  for (let number = 0; number < reader.frameCount; number++) {
    const { offset, length, decompressedLength } = reader.frame(number);
    const tar = await readFrame(content, offset, length, decompressedLength);
    archive.pass(tar);
    stretches.pass(number, decompressedLength, tar);
    watch.bytesRead += length;
    await watch.step();
  }
  archive.finish();
  // The seek table, whose length the reader has limited.
  const rest = whole.rest(size);
  watch.bytesRead += rest;
  return whole.finish(size);
}

/** What is damaged in one frame, or in the encrypted chunks that it lies in, leaves the others as they are. */
async function readFrame(
  content: ObjectContent,
  offset: number,
  length: number,
  decompressedLength: number,
): Promise<Buffer | { readonly error: unknown }> {
  try {
    return decompressFrame(await content.read(offset, length), decompressedLength);
  } catch (error) {
    if (asFailure(error).code !== 'repository_damaged') throw error;
    return { error };
  }
}

/** Hashes an object while it is read from its beginning to its end, also where stretches that follow each other overlap. */
class PassingDigest {
  readonly #read: ObjectContent['read'];
  readonly #hash = createHash('sha256');
  #at = 0;

  constructor(read: ObjectContent['read']) {
    this.#read = read;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = await this.#read(offset, length);
    // What is read ahead, such as the end, comes once more.
    if (offset <= this.#at && offset + bytes.length > this.#at) {
      this.#hash.update(bytes.subarray(this.#at - offset));
      this.#at = offset + bytes.length;
    }
    return bytes;
  }

  /** How many bytes of an object of `size` were not passed yet. */
  rest(size: number): number {
    return size - this.#at;
  }

  /** Passes them; returns the digest, hexadecimal. */
  async finish(size: number): Promise<string> {
    while (this.#at < size) await this.read(this.#at, Math.min(PART, size - this.#at));
    return this.#hash.digest('hex');
  }
}

/** Follows the tar archive of a pack up to its first problem. */
class ArchiveCheck {
  readonly #problems: PackProblems;
  readonly #reader = new TarReader();
  #isBroken = false;

  constructor(problems: PackProblems) {
    this.#problems = problems;
  }

  pass(tar: Buffer | { readonly error: unknown }): void {
    this.#attempt(() => {
      if (!Buffer.isBuffer(tar)) throw tar.error;
      this.#reader.push(tar);
    });
  }

  finish(): void {
    this.#attempt(() => this.#reader.finish());
  }

  #attempt(action: () => void): void {
    if (this.#isBroken) return;
    try {
      action();
    } catch (error) {
      this.#isBroken = true;
      this.#problems.pack(error);
    }
  }
}
