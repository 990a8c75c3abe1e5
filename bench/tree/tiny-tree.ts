import { Account, KEPT_FILE } from './account.ts';
import type { Text } from './text.ts';

const FILES_PER_DIRECTORY = 200;
const LONGEST = 500;

/**
 * Makes one account of very many files, most of them empty: what counts is their number. One file
 * in `1 / filledShare` has contents.
 */
export function makeTinyTree(accountsRoot: string, plan: { seed: string; files: number; filledShare: number }, text: Text): void {
  const mask = process.umask(0);
  const account = new Account(accountsRoot, 1, plan.seed);
  account.directory('info');
  account.directories('shadow/var/www/html');
  account.file(KEPT_FILE, [text.piece(account.random, LONGEST)]);
  let directory = '';
  for (let index = 1; index < plan.files; index++) {
    if (index % FILES_PER_DIRECTORY === 1) directory = account.directory(`shadow/var/www/html/part-${index}`);
    const filled = account.random.chance(plan.filledShare);
    account.plainFile(`${directory}/file-${index}`, filled ? text.piece(account.random, account.random.below(LONGEST)) : undefined);
  }
  account.finish();
  process.umask(mask);
}
