import { Account, KEPT_FILE } from './account.ts';
import type { Text } from './text.ts';

const FILES_PER_DIRECTORY = 200;
const [SHORTEST, LONGEST] = [1000, 64_000];
const NOISE = Buffer.alloc(LONGEST);

/** Of the second account. */
const [LONG_FILES, LONG_FILE] = [40, 5_000_000];

/** Makes one account of small files, half of them text, half of them what no compressor makes smaller; and one of long files of the latter kind. */
export function makeSmallFilesTree(accountsRoot: string, plan: { seed: string; files: number }, text: Text): void {
  const mask = process.umask(0);
  fillWithSmall(new Account(accountsRoot, 1, plan.seed), plan.files, text);
  fillWithLong(new Account(accountsRoot, 2, plan.seed));
  process.umask(mask);
}

function fillWithSmall(account: Account, files: number, text: Text): void {
  account.directory('info');
  account.directories('shadow/var/www/html');
  account.file(KEPT_FILE, [text.piece(account.random, LONGEST)]);
  let directory = '';
  for (let index = 1; index < files; index++) {
    if (index % FILES_PER_DIRECTORY === 1) directory = account.directory(`shadow/var/www/html/part-${index}`);
    const { random } = account;
    const length = random.length(SHORTEST, LONGEST);
    const noise = NOISE.subarray(0, length);
    const isText = random.chance(0.5);
    if (!isText) random.fill(noise);
    account.plainFile(`${directory}/file-${index}`, isText ? text.piece(random, length) : noise);
  }
  account.finish();
}

function fillWithLong(account: Account): void {
  account.directory('info');
  account.directories('shadow/var/www/html');
  const noise = Buffer.alloc(LONG_FILE);
  for (let index = 0; index < LONG_FILES; index++) {
    account.random.fill(noise);
    account.plainFile(`shadow/var/www/html/video-${index}`, noise);
  }
  account.finish();
}
