import { Random } from './random.ts';

const SYLLABLES = [
  'ad',
  'ber',
  'con',
  'del',
  'er',
  'fo',
  'get',
  'hi',
  'in',
  'ja',
  'ke',
  'lo',
  'men',
  'no',
  'or',
  'per',
  'set',
  'ti',
  'up',
  'val',
];
const LINE_ENDS = [';\n', ');\n', ' {\n', '\n}\n\n', ',\n', "';\n", ' */\n'];
const JOINTS = [' ', ' ', ' ', '->', '(', ', ', ' = ', "['", '$', '_', '.', ' => '];
const WORDS = 3000;

/** Code-like text that zstd -3 makes about four times smaller, cut from one long piece: fast enough for millions of files. */
export class Text {
  readonly #pool: Buffer;

  /** The pool should be much longer than a compressor's window (2 MiB), or files would be found again in one another. */
  constructor(poolLength: number) {
    const random = new Random('text');
    const words = Array.from({ length: WORDS }, () => Array.from({ length: 1 + random.below(4) }, () => random.pick(SYLLABLES)).join(''));
    this.#pool = Buffer.alloc(poolLength);
    let at = 0;
    while (at < poolLength) at += this.#pool.latin1Write(line(random, words), at);
  }

  /** A piece of the pool; do not write into it. */
  piece(random: Random, length: number): Buffer {
    if (length > this.#pool.length) throw new RangeError(`no piece of ${length} bytes in a pool of ${this.#pool.length}`);
    const start = random.below(this.#pool.length - length + 1);
    return this.#pool.subarray(start, start + length);
  }
}

function line(random: Random, words: readonly string[]): string {
  let result = ' '.repeat(4 * random.below(5));
  // Squared: few words make most of a text, as in any language.
  for (let count = 2 + random.below(7); count > 0; count--) {
    result += words[Math.floor((random.below(1000) / 1000) ** 3 * words.length)]! + random.pick(JOINTS);
  }
  return result + random.pick(LINE_ENDS);
}
