import type { StatBuffer } from '../../linux/stat.ts';
import { word } from '../../manifest/format/columns.ts';

const WORDS = 4;
const SEALED = 0;
const HEADER = 1;

/** The memory behind it, as it is handed to a thread. */
export type KnownDirectoriesData = SharedArrayBuffer;

/**
 * The directories that a restore made or found before it wrote into them, by device and inode, for all threads. Filled by the
 * thread that makes them, then sealed, and only read from then on.
 */
export class KnownDirectories {
  readonly data: KnownDirectoriesData;
  readonly #words: Uint32Array;
  readonly #slots: number;

  /** Room for so many directories, or the memory of another thread's. */
  constructor(of: number | KnownDirectoriesData) {
    const slots = typeof of === 'number' ? 2 ** Math.ceil(Math.log2(of * 2 + 2)) : 0;
    this.data = typeof of === 'number' ? new SharedArrayBuffer((HEADER + slots * WORDS) * 4) : of;
    this.#words = new Uint32Array(this.data);
    this.#slots = (this.#words.length - HEADER) / WORDS;
  }

  /** Whether all are in it; before, it says nothing. */
  get isSealed(): boolean {
    return this.#words[SEALED] === 1;
  }

  seal(): void {
    this.#words[SEALED] = 1;
  }

  add({ words }: Pick<StatBuffer, 'words'>): void {
    const at = this.#find(words);
    this.#words[at] = word(words, 8);
    this.#words[at + 1] = word(words, 9);
    this.#words[at + 2] = word(words, 34);
    this.#words[at + 3] = word(words, 35);
  }

  has({ words }: Pick<StatBuffer, 'words'>): boolean {
    return !this.#isFree(this.#find(words));
  }

  /** Where it is, or the free place where it belongs. */
  #find(words: Uint32Array): number {
    const hash = Math.imul(word(words, 8) ^ word(words, 35), 0x9e3779b1) >>> 0;
    for (let slot = hash % this.#slots; ; slot = (slot + 1) % this.#slots) {
      const at = HEADER + slot * WORDS;
      const isIt =
        this.#words[at] === words[8] &&
        this.#words[at + 1] === words[9] &&
        this.#words[at + 2] === words[34] &&
        this.#words[at + 3] === words[35];
      if (isIt || this.#isFree(at)) return at;
    }
  }

  /** No inode has the number 0. */
  #isFree(at: number): boolean {
    return this.#words[at] === 0 && this.#words[at + 1] === 0;
  }
}
