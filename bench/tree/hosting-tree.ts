import { dirname } from 'node:path';
import { Account, KEPT_FILE } from './account.ts';
import { Random } from './random.ts';
import type { Text } from './text.ts';

/** What a generated server holds. The same plan gives the same tree, but for inode numbers and change times. */
export interface TreePlan {
  readonly seed: string;
  readonly accounts: number;
  readonly filesPerAccount: number;
  /** `mixed`: also images and one or two long files an account; `small`: text of at most 4 KB and nothing else. */
  readonly contents: 'mixed' | 'small';
}

const WEB = 'shadow/var/www/html';
const MAIL = 'shadow/home/owner/Mail/cur';
const UPLOADS = `${WEB}/uploads`;
const DEEPEST = 15;
const FILES_PER_DIRECTORY = 20;
// Every account has the same application: peers that find equal files of several accounts may profit from it.
const APPLICATION_SHARE = 0.25;
const NOISE = Buffer.alloc(1024 * 1024);

/** Makes accounts `site1`, `site2`, … below `accountsRoot`, which must not exist yet. */
export function makeHostingTree(accountsRoot: string, plan: TreePlan, text: Text): void {
  const mask = process.umask(0);
  for (let number = 1; number <= plan.accounts; number++) fillAccount(new Account(accountsRoot, number, plan.seed), plan, text);
  process.umask(mask);
}

function fillAccount(account: Account, plan: TreePlan, text: Text): void {
  const files = plan.filesPerAccount;
  const images = plan.contents === 'mixed' ? Math.floor(files * 0.045) : 0;
  const mails = Math.floor(files * 0.15);
  for (const path of ['info/current', WEB, MAIL]) account.directories(path);
  const siteinfo = `[siteinfo]\ndomain = "${account.uid}.example.test"\nadmin_user = "owner"\n`;
  account.file('info/current/siteinfo', [Buffer.from(siteinfo)]);
  account.file(KEPT_FILE, [account.code(text, 5000)]);
  makeCode(account, files - images - mails - 2, plan, text);
  for (let index = 0; index < mails; index++) {
    const { random } = account;
    account.file(`${MAIL}/${1_700_000_000 + index}.M${random.below(1e6)}P${index}.server:2,S`, [
      text.piece(random, random.length(1000, plan.contents === 'small' ? 4000 : 8000)),
    ]);
  }
  if (plan.contents === 'mixed') {
    makeImages(account, images);
    makeLongFiles(account, files, text);
  }
  makeOddities(account, files);
  account.finish();
}

/** Names of directories, some in one another to a depth of 15. */
function makeCodeDirectories(account: Account, count: number): string[] {
  const { random } = account;
  const made = [WEB];
  for (let index = 0; index < count; index++) {
    const recent = random.chance(0.6);
    let parent = recent ? made.at(-1 - random.below(Math.min(3, made.length)))! : random.pick(made);
    if (parent.split('/').length >= DEEPEST) parent = WEB;
    made.push(account.directory(`${parent}/part-${index}`, random.chance(0.1) ? 'writable' : 'ordinary'));
  }
  return made;
}

function makeCode(account: Account, count: number, plan: TreePlan, text: Text): void {
  const { random } = account;
  const longest = plan.contents === 'small' ? 4000 : 20_000;
  const application = new Random(`${plan.seed} application`);
  const directories = makeCodeDirectories(account, Math.ceil(count / FILES_PER_DIRECTORY));
  for (let index = 0; index < count; index++) {
    // One directory with a tenth of all files, as caches and sessions make them.
    const directory = random.chance(0.1) ? directories.at(-1)! : random.pick(directories);
    const own = index >= count * APPLICATION_SHARE;
    const content = own ? account.code(text, longest) : text.piece(application, application.length(500, longest));
    account.file(`${directory}/file-${index}.php`, [content]);
  }
}

function makeImages(account: Account, count: number): void {
  const { random } = account;
  account.directory(UPLOADS, 'writable');
  for (let index = 0; index < count; index++) {
    const folder = account.directories(`${UPLOADS}/2024/${1 + (index % 12)}`);
    account.file(`${folder}/image-${index}.jpg`, noise(random, random.length(50_000, 2_000_000, 3)));
  }
}

/** A database export and, in every other account, an archive; as long as the number of files makes it likely. */
function makeLongFiles(account: Account, files: number, text: Text): void {
  const { random } = account;
  const longest = files * 10_000;
  const folder = account.directories('shadow/home/owner/backups');
  account.file(`${folder}/export.sql`, longText(text, random, random.length(longest / 5, longest)));
  if (random.chance(0.5)) account.file(`${folder}/archive.zip`, noise(random, random.length(longest / 5, longest)));
}

function* noise(random: Random, length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= NOISE.length) {
    const piece = NOISE.subarray(0, Math.min(left, NOISE.length));
    random.fill(piece);
    yield piece;
  }
}

function* longText(text: Text, random: Random, length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= 4096) yield text.piece(random, Math.min(left, 4096));
}

function makeOddities(account: Account, files: number): void {
  const folder = account.directories('shadow/usr/share/odd');
  for (let index = 0; index < Math.ceil(files / 500); index++) {
    account.whiteout(`${folder}/deleted-${index}`);
    account.symbolicLink(`${folder}/link-${index}`, `../../../../${KEPT_FILE}`);
    account.hardLink(`${folder}/again-${index}`, account.file(`${dirname(folder)}/linked-${index}`, [Buffer.from(`linked ${index}\n`)]));
  }
  for (let index = 0; index < Math.ceil(files / 3000); index++) account.directory(`${folder}/opaque-${index}`, 'opaque');
}
