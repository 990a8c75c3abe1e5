/** Numbers as the bytes of a column of u32. */
export function wordBytes(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

/** Numbers up to 2^53 - 1 as the bytes of a column of u64. */
export function wideBytes(numbers: readonly number[]): Uint8Array {
  const pairs = new Uint32Array(2 * numbers.length);
  numbers.forEach((number, index) => {
    pairs[2 * index] = number;
    pairs[2 * index + 1] = Math.floor(number / 0x1_0000_0000);
  });
  return new Uint8Array(pairs.buffer);
}
