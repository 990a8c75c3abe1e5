import type { Random } from './random.ts';
import { INPUT_LIMIT } from './shared-input.ts';

const NUMBERS = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x1fffffffffffffn, 2n ** 63n];
/** What stands for something in texts. */
const SIGNS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  "'",
  '`',
  '/*',
  '*/',
  '--',
  ';',
  '$$',
  '\0',
  '\n',
  ',',
  ':',
  'null',
  '-1',
  '1e999',
  '""',
  '{}',
  '[]',
];
/** How often a stretch is repeated where an input is blown up. */
const REPEATS = 20_000;

interface Material {
  readonly random: Random;
  /** Another input, of which parts are taken. */
  readonly other: Buffer;
  readonly words: readonly string[];
}

type Mutation = (input: Buffer, material: Material) => Buffer;

/** A place in an input and the place behind some bytes there. */
function stretch(input: Buffer, random: Random): [number, number] {
  const from = random.below(input.length + 1);
  return [from, Math.min(input.length, from + 1 + random.below(random.of([1, 4, 16, 200, 5000])))];
}

function spliced(input: Buffer, from: number, to: number, middle: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), middle, input.subarray(to)]);
}

function changed(input: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(input);
  if (copy.length > 0) change(copy);
  return copy;
}

function number({ random }: Material, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, random.of(NUMBERS) + BigInt(random.below(3) - 1)));
  return buffer.subarray(0, bytes);
}

const MUTATIONS: readonly Mutation[] = [
  // One bit.
  (input, { random }) => changed(input, (copy) => (copy[random.below(copy.length)]! ^= 1 << random.below(8))),
  // One byte.
  (input, { random }) => changed(input, (copy) => (copy[random.below(copy.length)] = random.below(256))),
  // A number where one may lie.
  (input, material) => {
    const bytes = material.random.of([1, 2, 4, 4, 8]);
    const at = material.random.below(Math.max(1, input.length - bytes + 1));
    const aligned = material.random.below(2) === 0 ? at : at - (at % bytes);
    return spliced(input, aligned, Math.min(input.length, aligned + bytes), number(material, bytes));
  },
  // A little more, or less, than what is there.
  (input, { random }) =>
    changed(input, (copy) => {
      const at = random.below(copy.length);
      copy[at] = copy[at]! + random.of([-1, 1, 16, -16]);
    }),
  // Without a stretch.
  (input, { random }) => spliced(input, ...stretch(input, random), Buffer.alloc(0)),
  // A stretch twice.
  (input, { random }) => {
    const [from, to] = stretch(input, random);
    return spliced(input, from, from, input.subarray(from, to));
  },
  // Two stretches of which one overwrites the other.
  (input, { random }) => {
    const [from, to] = stretch(input, random);
    const at = random.below(input.length + 1);
    return spliced(input, at, Math.min(input.length, at + to - from), input.subarray(from, to));
  },
  // A stretch of another input.
  (input, { random, other }) => spliced(input, ...stretch(input, random), other.subarray(...stretch(other, random))),
  // A word.
  (input, { random, words }) => {
    const at = random.below(input.length + 1);
    const word = Buffer.from(random.of(words.length > 0 && random.below(2) === 0 ? words : SIGNS), 'latin1');
    return spliced(input, at, random.below(2) === 0 ? at : Math.min(input.length, at + word.length), word);
  },
  // A decimal number.
  (input, { random }) => {
    const at = input.findIndex((byte, index) => index >= random.below(input.length + 1) && byte >= 0x30 && byte <= 0x39);
    return at < 0 ? input : spliced(input, at, at + 1, Buffer.from(String(random.of(NUMBERS))));
  },
  // Cut.
  (input, { random }) => input.subarray(0, random.below(input.length + 1)),
];

/** Blows a short stretch up to what no honest input has. */
function blownUp(input: Buffer, { random }: Material): Buffer {
  const from = random.below(input.length + 1);
  const part = input.subarray(from, from + 1 + random.below(8));
  return spliced(input, from, from, Buffer.alloc(part.length * random.below(REPEATS), part.length === 0 ? '(' : part));
}

/** An input that differs in a few places, never longer than `INPUT_LIMIT`. */
export function mutate(input: Buffer, material: Material): Buffer {
  const { random } = material;
  let result = random.below(200) === 0 ? blownUp(input, material) : input;
  for (let count = 1 + random.below(4); count > 0; count--) result = random.of(MUTATIONS)(result, material);
  return result.subarray(0, INPUT_LIMIT);
}
