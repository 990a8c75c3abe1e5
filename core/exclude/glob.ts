import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';

/** Tells whether one name (a path component) fits. */
export type NameMatcher = (name: ByteString) => boolean;

/** One step of a glob: a byte value, a set of byte values, any byte, or any number of bytes. */
type Step = number | Uint8Array | 'any' | 'star';

const BYTES = 256;
const BACKSLASH = '\\';

/** Reads a glob from its beginning. */
class GlobReader {
  readonly #glob: ByteString;
  #at = 0;

  constructor(glob: ByteString) {
    this.#glob = glob;
  }

  *steps(): Generator<Step> {
    while (this.#at < this.#glob.length) {
      const character = this.#glob.charAt(this.#at);
      if (character === '*') {
        while (this.#glob.charAt(this.#at) === '*') this.#at++;
        yield 'star';
      } else if (character === '?') {
        this.#at++;
        yield 'any';
      } else if (character === '[') {
        this.#at++;
        yield this.#set();
      } else {
        yield this.#byte();
      }
    }
  }

  #invalid(problem: string): Failure {
    const text = Buffer.from(this.#glob, 'latin1').toString('utf8');
    return new Failure('invalid_settings', `the pattern “${text}” ${problem}`, { affected: [text] });
  }

  /** One byte, where a backslash takes the meaning from the one after it. */
  #byte(): number {
    if (this.#glob.charAt(this.#at) === BACKSLASH) this.#at++;
    if (this.#at >= this.#glob.length) throw this.#invalid('ends too early: a [ is not closed, or a \\ has nothing after it');
    return this.#glob.charCodeAt(this.#at++);
  }

  /** What follows `[`, up to and with the `]`; a `]` in the first place is one of the set. */
  #set(): Uint8Array {
    const set = new Uint8Array(BYTES);
    const negated = '!^'.includes(this.#glob.charAt(this.#at) || ' ');
    if (negated) this.#at++;
    const first = this.#at;
    while (this.#glob.charAt(this.#at) !== ']' || this.#at === first) {
      if (this.#glob.startsWith('[:', this.#at))
        throw this.#invalid('has a class such as [:alpha:], which is not understood; write a range: [a-z]');
      const low = this.#byte();
      let high = low;
      if (this.#glob.charAt(this.#at) === '-' && this.#glob.charAt(this.#at + 1) !== ']') {
        this.#at++;
        high = this.#byte();
      }
      if (high < low) throw this.#invalid('has a range whose end comes before its beginning');
      set.fill(1, low, high + 1);
    }
    this.#at++;
    return negated ? set.map((member) => 1 - member) : set;
  }
}

function fits(step: Step | undefined, byte: number): boolean {
  if (typeof step === 'number') return step === byte;
  return step === 'any' || (step instanceof Uint8Array && step[byte] === 1);
}

/**
 * Only the last star is ever gone back to, one byte further each time: what an earlier star could take instead, the last
 * one can take as well. So a name of n bytes costs at most n times the glob's length, whatever the glob.
 */
function matchSteps(steps: readonly Step[], name: ByteString): boolean {
  let step = 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (steps[step] === 'star') {
      star = step++;
      resume = at;
    } else if (fits(steps[step], name.charCodeAt(at))) {
      step++;
      at++;
    } else if (star >= 0) {
      step = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (steps[step] === 'star') step++;
  return step === steps.length;
}

function literalOf(steps: readonly Step[]): ByteString | undefined {
  return steps.every((step) => typeof step === 'number') ? steps.map((byte) => String.fromCharCode(byte)).join('') : undefined;
}

/**
 * Compiles a glob for one name: `*` any bytes, `?` one byte, `[a-z]` and `[!a-z]` one byte of a set, a backslash takes the
 * meaning from the next byte. Throws `invalid_settings`.
 */
export function compileGlob(glob: ByteString): NameMatcher {
  const steps = [...new GlobReader(glob).steps()];
  const literal = literalOf(steps);
  if (literal !== undefined) return (name) => name === literal;
  if (steps.length === 1 && steps[0] === 'star') return () => true;
  const ending = steps[0] === 'star' ? literalOf(steps.slice(1)) : undefined;
  if (ending !== undefined) return (name) => name.endsWith(ending);
  return (name) => matchSteps(steps, name);
}
