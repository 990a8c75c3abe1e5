import { closeSync, futimesSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Account, timeOfDay } from './account.ts';
import { Random } from './random.ts';
import { Text } from './text.ts';

const FOLDER = 'shadow/home/owner/exports';
const DUMP = `${FOLDER}/database.sql`;
const LOG = `${FOLDER}/access.log`;

/** The files that a day changes, below the account's folder. */
export const DUMP_FILES = [DUMP, LOG];

const ROW_LENGTH = 256;
const ROWS_AT_ONCE = 4096;
const LOG_SHARE = 0.2;

/** Makes one account with a database export of `length` bytes and a log of a fifth of that. */
export function makeDumpTree(accountsRoot: string, plan: { readonly seed: string; readonly length: number }): void {
  const account = new Account(accountsRoot, 1, plan.seed);
  account.directory('info');
  account.directories(FOLDER);
  account.file(DUMP, rows('INSERT INTO posts VALUES', new Random(`${plan.seed} dump`), plan.length / ROW_LENGTH));
  account.file(LOG, rows('203.0.113.7 - - GET', new Random(`${plan.seed} log`), (plan.length * LOG_SHARE) / ROW_LENGTH));
  account.finish();
}

/** Writes 1 % of the rows of the export, in one stretch, anew, and lets the log grow by 5 %. */
export function changeDumpTree(accountsRoot: string, { seed, number }: { readonly seed: string; readonly number: number }): void {
  const random = new Random(`${seed} dump day ${number}`);
  const folder = join(accountsRoot, 'site1');
  const dumpRows = statSync(join(folder, DUMP)).size / ROW_LENGTH;
  const changed = Math.ceil(dumpRows / 100);
  writeRows(join(folder, DUMP), timeOfDay(number), random.below(dumpRows - changed) * ROW_LENGTH, rows('UPDATED posts', random, changed));
  const logLength = statSync(join(folder, LOG)).size;
  writeRows(join(folder, LOG), timeOfDay(number), logLength, rows('203.0.113.9 - - GET', random, Math.ceil(logLength / ROW_LENGTH / 20)));
}

function writeRows(file: string, time: number, at: number, pieces: Iterable<Buffer>): void {
  const descriptor = openSync(file, 'r+');
  let position = at;
  for (const piece of pieces) position += writeSync(descriptor, piece, 0, piece.length, position);
  futimesSync(descriptor, time, time);
  closeSync(descriptor);
}

/** Rows of equal length, so that a changed row moves none of the others. */
function* rows(head: string, random: Random, count: number): Generator<Buffer> {
  const text = new Text(1024 * 1024);
  for (let left = Math.floor(count); left > 0; left -= ROWS_AT_ONCE) {
    const made = Buffer.alloc(Math.min(left, ROWS_AT_ONCE) * ROW_LENGTH, ' ');
    for (let at = 0; at < made.length; at += ROW_LENGTH) {
      const start = at + made.latin1Write(`${head} (${random.word()},${random.word()},'`, at);
      text.piece(random, 128).copy(made, start);
      made.write("');\n", at + ROW_LENGTH - 4);
    }
    yield made;
  }
}
