import { createHash, type Hash } from 'node:crypto';
import { Failure } from '../failure.ts';
import { damagedContent } from './damage.ts';
import type { ExtentReference } from './extent-table.ts';

/** More stretches than any writer lets overlap; a hostile manifest must not make one byte be hashed a million times. */
const MOST_OVERLAPPING = 4096;

/** A stretch of the pack that is being read, with all references to exactly this one. */
interface Stretch {
  readonly references: ExtentReference[];
  readonly hash: Hash;
  /** Bytes of it that are still to come. */
  left: number;
  error?: unknown;
}

export type ReferenceProblem = (reference: ExtentReference, error: unknown) => void;

/** Compares the stretches of a pack with their digests while its frames pass by in order, each once. */
export class StretchDigests {
  readonly #references: Iterator<ExtentReference>;
  readonly #report: ReferenceProblem;
  #next: ExtentReference | undefined;
  #open: Stretch[] = [];

  /** `references` come sorted by frame, offset and length. */
  constructor(references: Iterable<ExtentReference>, report: ReferenceProblem) {
    this.#references = references[Symbol.iterator]();
    this.#report = report;
    this.#advance();
  }

  #advance(): void {
    const { done, value } = this.#references.next();
    this.#next = done === true ? undefined : value;
  }

  /** Takes the next frame: its `length` bytes of tar, or why they cannot be had. */
  pass(frame: number, length: number, tar: Buffer | { readonly error: unknown }): void {
    for (const stretch of this.#open) feed(stretch, 0, length, tar);
    this.#settle();
    while (this.#next !== undefined && this.#next.frame === frame) {
      const stretch = this.#takeStretch(this.#next);
      if ((stretch.references[0] as ExtentReference).offset >= length)
        stretch.error = damagedContent('the frame ends before this content begins');
      feed(stretch, (stretch.references[0] as ExtentReference).offset, length, tar);
      if (this.#open.length >= MOST_OVERLAPPING) stretch.error ??= damagedContent('too many contents overlap here');
      this.#open.push(stretch);
      this.#settle();
    }
  }

  /** To be called after the last frame, or when no more can be read: what is not complete by now is not there. */
  failRest(error: unknown): void {
    for (const { references } of this.#open) for (const reference of references) this.#report(reference, error);
    this.#open = [];
    for (; this.#next !== undefined; this.#advance()) this.#report(this.#next, error);
  }

  /** The stretch that begins with `first`, and every further reference to the same. */
  #takeStretch(first: ExtentReference): Stretch {
    const references: ExtentReference[] = [];
    const isSame = ({ frame, offset, length }: ExtentReference) =>
      frame === first.frame && offset === first.offset && length === first.length;
    for (; this.#next !== undefined && isSame(this.#next); this.#advance()) references.push(this.#next);
    return { references, hash: createHash('sha256'), left: first.length };
  }

  /** Reports the stretches that are complete or failed, and keeps the others. */
  #settle(): void {
    const isOpen = ({ left, error }: Stretch) => left > 0 && error === undefined;
    if (this.#open.every(isOpen)) return;
    for (const stretch of this.#open) if (!isOpen(stretch)) this.#compare(stretch);
    this.#open = this.#open.filter(isOpen);
  }

  #compare({ references, hash, error }: Stretch): void {
    const digest = error === undefined ? hash.digest() : undefined;
    for (const reference of references) {
      if (digest === undefined) this.#report(reference, error);
      else if (!digest.equals(reference.digest)) {
        this.#report(reference, new Failure('digest_mismatch', 'content differs from its recorded SHA-256'));
      }
    }
  }
}

/** Gives a stretch its part of a frame: from `offset` as far as it and the frame go. */
function feed(stretch: Stretch, offset: number, length: number, tar: Buffer | { readonly error: unknown }): void {
  const end = Math.min(length, offset + stretch.left);
  if (!Buffer.isBuffer(tar)) stretch.error ??= tar.error;
  else stretch.hash.update(tar.subarray(offset, end));
  stretch.left -= Math.max(end - offset, 0);
}
