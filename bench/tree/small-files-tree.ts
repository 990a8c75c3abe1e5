import { Account, KEPT_FILE } from './account.ts';
import type { Text } from './text.ts';

const FILES_PER_DIRECTORY = 200;
const [SHORTEST, LONGEST] = [1000, 64_000];
const NOISE = Buffer.alloc(LONGEST);

/** Makes one account of small files, half of them text, half of them what no compressor makes smaller. */
export function makeSmallFilesTree(accountsRoot: string, plan: { seed: string; files: number }, text: Text): void {
  const mask = process.umask(0);
  const account = new Account(accountsRoot, 1, plan.seed);
  account.directory('info');
  account.directories('shadow/var/www/html');
  account.file(KEPT_FILE, [text.piece(account.random, LONGEST)]);
  let directory = '';
  for (let index = 1; index < plan.files; index++) {
    if (index % FILES_PER_DIRECTORY === 1) directory = account.directory(`shadow/var/www/html/part-${index}`);
    const { random } = account;
    const length = random.length(SHORTEST, LONGEST);
    const noise = NOISE.subarray(0, length);
    const isText = random.chance(0.5);
    if (!isText) random.fill(noise);
    account.plainFile(`${directory}/file-${index}`, isText ? text.piece(random, length) : noise);
  }
  account.finish();
  process.umask(mask);
}
