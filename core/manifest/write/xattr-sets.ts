import type { Xattr } from '../entry.ts';
import { ByteList } from './byte-list.ts';

/** The distinct sets of extended attributes of one block: thousands of entries usually share a handful. */
export class XattrSets {
  readonly #numbers = new Map<string, number>();
  #last: readonly Xattr[] | undefined;
  #lastNumber = 0;
  /** The first attribute of each set, and the end of the last. */
  readonly setOffsets: number[] = [0];
  readonly nameOffsets: number[] = [0];
  readonly names = new ByteList();
  readonly valueOffsets: number[] = [0];
  readonly values = new ByteList();

  /** The number of this set, from 1; 0 for the empty one. */
  number(xattrs: readonly Xattr[]): number {
    if (xattrs.length === 0) return 0;
    if (xattrs === this.#last) return this.#lastNumber;
    const key = xattrs.map(({ name, value }) => `${name}\0${value.length}\0${value.latin1Slice()}`).join('');
    this.#last = xattrs;
    this.#lastNumber = this.#numbers.get(key) ?? this.#append(key, xattrs);
    return this.#lastNumber;
  }

  clear(): void {
    this.#numbers.clear();
    this.#last = undefined;
    this.names.clear();
    this.values.clear();
    for (const offsets of [this.setOffsets, this.nameOffsets, this.valueOffsets]) offsets.length = 1;
  }

  #append(key: string, xattrs: readonly Xattr[]): number {
    for (const { name, value } of xattrs) {
      this.names.appendText(name);
      this.nameOffsets.push(this.names.length);
      this.values.append(value);
      this.valueOffsets.push(this.values.length);
    }
    this.setOffsets.push(this.nameOffsets.length - 1);
    const number = this.setOffsets.length - 1;
    this.#numbers.set(key, number);
    return number;
  }
}
