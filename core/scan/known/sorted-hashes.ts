import { readSync } from 'node:fs';
import { writeAll } from '../../linux/write-all.ts';
import { word } from '../../manifest/format/columns.ts';
import { lowerBound } from '../../manifest/lower-bound.ts';

/**
 * Records that lead from the hash of something to the manifest row that has it. A record is one 64-bit number: 28 bits of
 * hash, 26 bits of block number, 10 bits of row; so they are sorted by a native sort, and a hash that fits by chance only costs a
 * look at a row, which decides.
 */
const HASH_BITS = 28;
export const RECORD_LENGTH = 8;

/** Records sorted in memory at a time: 32 MiB. More of them are gathered in several passes. */
const RECORDS_PER_PASS = 4 * 1024 * 1024;

/** One fence, kept in memory, for so many records; a look-up reads that many. */
export const RECORDS_PER_PAGE = 512;

/** Where a row lies in a manifest. */
export interface RowLocation {
  readonly block: number;
  readonly row: number;
}

/** Gives every record to `add`; called once for each pass. */
export type RecordSource = (add: (hash: number, block: number, row: number) => void) => void;

/** What `writeSortedHashes` wrote: where the records begin, how many there are, and their fences. */
export interface SortedHashesLayout {
  readonly offset: number;
  readonly count: number;
  readonly fences: Uint32Array;
}

/** Sorts the records of `source` into the file `descriptor` at `offset`. `expected` is about how many there are. */
export function writeSortedHashes(descriptor: number, offset: number, expected: number, source: RecordSource): SortedHashesLayout {
  const passes = Math.max(1, Math.ceil(expected / RECORDS_PER_PASS));
  const fences: number[] = [];
  let count = 0;
  for (let pass = 0; pass < passes; pass++) {
    const sorted = gather(
      source,
      Math.floor((2 ** HASH_BITS * pass) / passes),
      Math.floor((2 ** HASH_BITS * (pass + 1)) / passes),
      expected / passes,
    );
    for (let at = 0; at < sorted.length; at++) {
      if ((count + at) % RECORDS_PER_PAGE === 0) fences.push(Number((sorted[at] as bigint) >> 36n));
    }
    const bytes = Buffer.from(sorted.buffer, sorted.byteOffset, sorted.byteLength);
    writeAll(descriptor, bytes, offset + count * RECORD_LENGTH);
    count += sorted.length;
  }
  return { offset, count, fences: Uint32Array.from(fences) };
}

/** The records whose hash is at least `from` and below `to`, sorted. */
function gather(source: RecordSource, from: number, to: number, expected: number): BigUint64Array<ArrayBuffer> {
  let records = new Uint32Array(2 * Math.max(1024, Math.ceil(expected * 1.1)));
  let count = 0;
  source((hash, block, row) => {
    if (hash < from || hash >= to) return;
    if (2 * count === records.length) {
      const grown = new Uint32Array(records.length * 2);
      grown.set(records);
      records = grown;
    }
    records[2 * count] = (block << 10) | row;
    records[2 * count + 1] = (hash << 4) | (block >>> 22);
    count++;
  });
  return new BigUint64Array(records.buffer, 0, count).sort();
}

/** Looks hashes up in a file that `writeSortedHashes` wrote. */
export class SortedHashes {
  readonly #descriptor: number;
  readonly #layout: SortedHashesLayout;
  readonly #page = Buffer.alloc(RECORDS_PER_PAGE * RECORD_LENGTH);
  #pageNumber = -1;

  constructor(descriptor: number, layout: SortedHashesLayout) {
    this.#descriptor = descriptor;
    this.#layout = layout;
  }

  /** Every row that was recorded under the hash. */
  *find(hash: number): Generator<RowLocation> {
    for (let page = this.#firstPage(hash); page < this.#layout.fences.length; page++) {
      const records = this.#read(page);
      for (let at = this.#firstRecord(records, hash); at < records; at++) {
        const low = this.#page.readUInt32LE(at * RECORD_LENGTH);
        const high = this.#page.readUInt32LE(at * RECORD_LENGTH + 4);
        if (high >>> 4 !== hash) return;
        yield { block: ((high & 15) << 22) | (low >>> 10), row: low & 1023 };
        this.#read(page);
      }
    }
  }

  /** The last page that begins below the hash: equal ones may begin there. */
  #firstPage(hash: number): number {
    const { fences } = this.#layout;
    return Math.max(0, lowerBound(fences.length, (page) => word(fences, page) < hash) - 1);
  }

  #firstRecord(records: number, hash: number): number {
    return lowerBound(records, (record) => this.#page.readUInt32LE(record * RECORD_LENGTH + 4) >>> 4 < hash);
  }

  /** Brings a page into memory and gives the number of its records. */
  #read(page: number): number {
    const first = page * RECORDS_PER_PAGE;
    const records = Math.min(RECORDS_PER_PAGE, this.#layout.count - first);
    if (page !== this.#pageNumber) {
      const length = records * RECORD_LENGTH;
      const got = readSync(this.#descriptor, this.#page, 0, length, this.#layout.offset + first * RECORD_LENGTH);
      this.#page.fill(0xff, got, length);
      this.#pageNumber = page;
    }
    return records;
  }
}
