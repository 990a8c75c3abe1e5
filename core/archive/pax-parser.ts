import type { ByteString } from '../manifest/entry.ts';
import { damagedTar } from './damage.ts';

const BLANK = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const NINE = 0x39;
const ZERO = 0x30;
/** Digits of the longest record that fits into `PAX_RECORDS_LIMIT`. */
const LENGTH_DIGITS = 8;

/**
 * The records of a pax extended header, by key. Values are views of `records`. Lengths decide, never line ends; whatever
 * does not add up is `repository_damaged`, because readers differ in what they would make of it.
 */
export function parsePaxRecords(records: Buffer): Map<ByteString, Buffer> {
  const parsed = new Map<ByteString, Buffer>();
  for (let at = 0; at < records.length; ) {
    const { length, bodyStart } = parseLength(records, at);
    const end = at + length;
    if (end > records.length || end <= bodyStart) throw damagedTar('a pax record runs beyond its header');
    if (records[end - 1] !== NEWLINE) throw damagedTar('a pax record does not end with a newline');
    const equals = records.subarray(bodyStart, end).indexOf(EQUALS);
    if (equals < 1) throw damagedTar('a pax record without a key');
    const key = records.latin1Slice(bodyStart, bodyStart + equals);
    if (parsed.has(key)) throw damagedTar(`two pax records ${JSON.stringify(key)}`);
    parsed.set(key, records.subarray(bodyStart + equals + 1, end - 1));
    at = end;
  }
  return parsed;
}

function parseLength(records: Buffer, start: number): { length: number; bodyStart: number } {
  let length = 0;
  let at = start;
  for (; at - start <= LENGTH_DIGITS; at++) {
    const byte = records[at];
    if (byte === BLANK && at > start) return { length, bodyStart: at + 1 };
    const leadingZero = byte === ZERO && at === start;
    if (byte === undefined || byte < ZERO || byte > NINE || leadingZero) break;
    length = length * 10 + (byte - ZERO);
  }
  throw damagedTar('a pax record without a proper length');
}
