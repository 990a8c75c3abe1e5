import { damaged } from './damage.ts';

/** A section as u16 numbers; `count` is how many it must hold. */
export function halfWords(section: Buffer, count: number, what: string): Uint16Array {
  checkLength(section, 2 * count, what);
  return new Uint16Array(section.buffer, section.byteOffset, count);
}

/** A section as u32 numbers, exactly `count` of them. A u64 number is two words, the low one first. */
export function words(section: Buffer, count: number, what: string): Uint32Array {
  checkLength(section, 4 * count, what);
  return new Uint32Array(section.buffer, section.byteOffset, count);
}

/** A section as as many u32 numbers as it holds. */
export function allWords(section: Buffer, what: string): Uint32Array {
  if (section.byteLength % 4 !== 0) throw damaged(`${what} is cut`);
  return new Uint32Array(section.buffer, section.byteOffset, section.byteLength / 4);
}

/**
 * Offsets of `count` stretches that follow one another: `count + 1` numbers that begin with 0, never fall, and end with
 * `end`. So no stretch can reach outside what it divides.
 */
export function offsets(section: Buffer, count: number, end: number, what: string): Uint32Array {
  const column = words(section, count + 1, what);
  let previous = 0;
  for (let index = 0; index <= count; index++) {
    const offset = column[index] as number;
    if (offset < previous || (index === 0 && offset !== 0)) throw damaged(`${what} are out of order`);
    previous = offset;
  }
  if (previous !== end) throw damaged(`${what} end at ${previous} instead of ${end}`);
  return column;
}

/** The u64 number at `index` of a column of word pairs; larger ones than 2^53 - 1 are no sizes or offsets. */
export function safeNumber(pairs: Uint32Array, index: number, what: string): number {
  const high = pairs[2 * index + 1] as number;
  if (high > 0x1f_ffff) throw damaged(`${what} is beyond 2^53`);
  return high * 0x1_0000_0000 + (pairs[2 * index] as number);
}

/** The u64 number at `index` of a column of word pairs. */
export function wideNumber(pairs: Uint32Array, index: number): bigint {
  return (BigInt(pairs[2 * index + 1] as number) << 32n) | BigInt(pairs[2 * index] as number);
}

function checkLength(section: Buffer, length: number, what: string): void {
  if (section.byteLength !== length) throw damaged(`${what}: ${section.byteLength} bytes instead of ${length}`);
}

/**
 * The number at `index`, which the column has: its length was checked, and the compiler cannot know. One function for each width, so that
 * each meets one kind of array alone: these are on the path of every entry.
 */
export function word(column: Uint32Array, index: number): number {
  return column[index] as number;
}

export function halfWord(column: Uint16Array, index: number): number {
  return column[index] as number;
}

export function byte(column: Uint8Array, index: number): number {
  return column[index] as number;
}
