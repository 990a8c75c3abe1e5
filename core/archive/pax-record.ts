import type { ByteString } from '../manifest/entry.ts';

/** Beyond a record's key and value: the length's digits, blank, `=` and newline. */
export const RECORD_OVERHEAD = 13;

const NEWLINE = 0x0a;

/** Length of a record whose blank, key, `=`, value and newline are `rest` bytes: it counts its own digits, too. */
function recordLength(rest: number): number {
  let length = rest + 1;
  for (let limit = 10; length >= limit; limit *= 10) length++;
  return length;
}

/** Writes `"<length> <key>=<value>\n"` (POSIX.1-2017 pax, extended header) at `at` and returns where it ends. */
export function writeRecord(target: Buffer, at: number, key: ByteString, value: ByteString | Buffer): number {
  const length = recordLength(key.length + value.length + 3);
  let end = at + target.latin1Write(`${length} ${key}=`, at);
  if (typeof value === 'string') end += target.latin1Write(value, end);
  else end += value.copy(target, end);
  target[end] = NEWLINE;
  return end + 1;
}
