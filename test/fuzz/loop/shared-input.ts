/** The longest input, in bytes. */
export const INPUT_LIMIT = 2 * 1024 * 1024;

const ROUND = 0;
const LENGTH = 1;
const HEAD = 8;

/** The input that a worker is at, in memory that whoever watches it can read when the worker cannot answer any more. */
export class SharedInput {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD + INPUT_LIMIT)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, HEAD);
  }

  /** Says what the worker begins with. */
  begin(input: Uint8Array): void {
    this.#bytes.set(input);
    this.#head[LENGTH] = input.length;
    Atomics.add(this.#head, ROUND, 1);
  }

  /** How many inputs were begun. */
  get round(): number {
    return Atomics.load(this.#head, ROUND);
  }

  get current(): Buffer {
    return Buffer.from(this.#bytes.slice(0, this.#head[LENGTH]));
  }
}
