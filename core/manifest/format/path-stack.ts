import type { ByteString } from '../entry.ts';

/**
 * The directory that a walk is in. One string, cut on the way up, because a prefix kept for each level of a very deep tree
 * would cost the square of its depth.
 */
export class PathStack {
  #path: ByteString;
  /** Length of the path of each ancestor, the directory itself last. */
  readonly #ends: number[] = [];

  constructor(path: ByteString = '') {
    this.#path = path;
    if (path === '') return;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) this.#ends.push(slash);
    this.#ends.push(path.length);
  }

  /** The path of the directory; empty at the top. */
  get path(): ByteString {
    return this.#path;
  }

  /** How many components the path has: the depth of the rows inside this directory. */
  get depth(): number {
    return this.#ends.length;
  }

  /** The path of a child. */
  join(name: ByteString): ByteString {
    return this.#ends.length === 0 ? name : `${this.#path}/${name}`;
  }

  enter(name: ByteString): void {
    this.#path = this.join(name);
    this.#ends.push(this.#path.length);
  }

  /** Goes up until `depth` components are left; stays when there are not more. */
  leaveTo(depth: number): void {
    if (depth >= this.#ends.length) return;
    this.#path = depth === 0 ? '' : this.#path.slice(0, this.#ends[depth - 1]);
    this.#ends.length = depth;
  }
}
