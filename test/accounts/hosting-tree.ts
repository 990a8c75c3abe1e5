/**
 * Large accounts as hosting servers have them, generated fast and the same each time for a seed.
 *
 *     node test/accounts/hosting-tree.ts make FOLDER FILES [SEED]
 *     node test/accounts/hosting-tree.ts day FOLDER [SEED]
 */
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { setAttributeSync } from 'fs-xattr';
import { mutateDay } from './hosting-day.ts';
import { Random } from './random.ts';
import { TextSource } from './text-source.ts';

const FILES_PER_ACCOUNT = 10_000;
const MAIL_SHARE = 0.15;
const IMAGE_SHARE = 0.045;
const ACL_SHARE = 0.2;
const ATTRIBUTE_SHARE = 0.02;
const DEEPEST = 15;
const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const NOISE_LENGTH = 16 * MEBIBYTE;
/** Of each unusual thing in an account. */
const ODDITIES = 5;

/** The binary form of `user::rw-,user:48:rwx,user:<owner>:rw-,group::r--,mask::rwx,other::r--` (acl(5), version 2). */
function accessAcl(owner: number): Buffer {
  const entries: [tag: number, bits: number, id: number][] = [
    [1, 6, 0xffffffff],
    [2, 7, 48],
    [2, 6, owner],
    [4, 4, 0xffffffff],
    [0x10, 7, 0xffffffff],
    [0x20, 4, 0xffffffff],
  ];
  const acl = Buffer.alloc(4 + 8 * entries.length);
  acl.writeUInt32LE(2, 0);
  entries.forEach(([tag, bits, id], index) => {
    acl.writeUInt16LE(tag, 4 + 8 * index);
    acl.writeUInt16LE(bits, 6 + 8 * index);
    acl.writeUInt32LE(id, 8 + 8 * index);
  });
  return acl;
}

class AccountWriter {
  readonly #random: Random;
  readonly #text: TextSource;
  readonly #noisePool: Buffer;
  readonly #shadow: string;
  readonly #acl: Buffer;
  #folders: string[] = [];

  constructor(shadow: string, account: number, random: Random, text: TextSource, noisePool: Buffer) {
    this.#noisePool = noisePool;
    this.#shadow = shadow;
    this.#random = random;
    this.#text = text;
    this.#acl = accessAcl(1000 + account);
  }

  write(files: number): void {
    const mail = Math.round(files * MAIL_SHARE);
    this.#makeFolders('var/www/html', Math.max(4, Math.round(files / 12)));
    for (let file = 0; file < files - mail; file++) this.#writeSiteFile(file);
    this.#writeMail(mail);
    writeFileSync(join(this.#shadow, 'var/www/html/archive.zip'), Buffer.concat([this.#noise(10 * MEBIBYTE), this.#noise(10 * MEBIBYTE)]));
    this.#writeOddities();
  }

  /** The few links, and the marks of OverlayFS. */
  #writeOddities(): void {
    const original = join(this.#folders[0]!, 'original');
    writeFileSync(original, this.#text.slice(3000));
    for (let number = 0; number < ODDITIES; number++) {
      const folder = this.#random.pick(this.#folders);
      symlinkSync('../index.php', join(folder, `link-${number}`));
      linkSync(original, join(folder, `hard-link-${number}`));
      execaSync('mknod', [join(folder, `deleted-${number}`), 'c', '0', '0']);
      setAttributeSync(this.#random.pick(this.#folders), 'trusted.overlay.opaque', Buffer.from('y'));
    }
  }

  /** Bytes that do not compress, from somewhere else in a pool each time. */
  #noise(length: number): Buffer {
    const start = this.#random.below(this.#noisePool.length - length + 1);
    return this.#noisePool.subarray(start, start + length);
  }

  /** A tree of folders, most of them near its top; every tenth is writable for the web server and passes that on. */
  #makeFolders(top: string, count: number): void {
    const first = join(this.#shadow, top);
    mkdirSync(first, { recursive: true });
    const depths = new Map([[first, 0]]);
    this.#folders = [first];
    while (this.#folders.length < count) {
      const parent = this.#random.pick(this.#folders);
      const depth = depths.get(parent)! + 1;
      if (depth > DEEPEST) continue;
      const folder = join(parent, `${this.#random.word()}-${this.#folders.length}`);
      mkdirSync(folder);
      if (this.#random.chance(0.1)) {
        setAttributeSync(folder, 'system.posix_acl_access', this.#acl);
        setAttributeSync(folder, 'system.posix_acl_default', this.#acl);
      }
      depths.set(folder, depth);
      this.#folders.push(folder);
    }
  }

  #writeSiteFile(number: number): void {
    // One folder of an account holds some thousand entries.
    const folder = this.#random.chance(0.15) ? this.#folders[0]! : this.#random.pick(this.#folders);
    const isImage = this.#random.chance(IMAGE_SHARE / (1 - MAIL_SHARE));
    const file = join(folder, `${this.#random.word()}-${number}.${isImage ? 'jpg' : 'php'}`);
    const content = isImage
      ? this.#noise(this.#random.skewed(50 * KIBIBYTE, 2 * MEBIBYTE, 8))
      : this.#text.slice(this.#random.skewed(512, 20_000));
    writeFileSync(file, content);
    if (this.#random.chance(ACL_SHARE)) setAttributeSync(file, 'system.posix_acl_access', this.#acl);
    if (this.#random.chance(ATTRIBUTE_SHARE)) setAttributeSync(file, 'user.mime_type', Buffer.from('text/plain'));
  }

  #writeMail(count: number): void {
    const folders = ['Mail/cur', 'Mail/new', 'Mail/.Sent/cur', 'Mail/.Trash/cur'].map((name) => join(this.#shadow, 'home/owner', name));
    for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let message = 0; message < count; message++) {
      const name = `${1_700_000_000 + message * 97}.M${message}P1.host:2,S`;
      writeFileSync(join(this.#random.pick(folders), name), this.#text.slice(this.#random.skewed(KIBIBYTE, 8 * KIBIBYTE)), { mode: 0o600 });
    }
  }
}

/** Makes `site1`, `site2` … below `folder`, about `files` files in all, 10,000 to an account. */
export function makeHostingTree(folder: string, files: number, seed: number): void {
  const text = new TextSource(new Random(seed));
  const noise = new Random(seed).bytes(NOISE_LENGTH);
  const accounts = Math.max(1, Math.round(files / FILES_PER_ACCOUNT));
  for (let account = 1; account <= accounts; account++) {
    const site = join(folder, `site${account}`);
    mkdirSync(join(site, 'shadow'), { recursive: true });
    mkdirSync(join(site, 'info/current'), { recursive: true });
    writeFileSync(join(site, 'info/current/siteinfo'), `[siteinfo]\ndomain = example${account}.test\nadmin_user = owner${account}\n`);
    new AccountWriter(join(site, 'shadow'), account, new Random(seed * 1_000_003 + account), text, noise).write(
      Math.round(files / accounts),
    );
  }
}

if (import.meta.main) {
  const [verb, folder, ...numbers] = process.argv.slice(2);
  const [first, second] = numbers.map(Number);
  if (verb === 'make' && folder !== undefined && first !== undefined) {
    makeHostingTree(folder, first, second ?? 1);
  } else if (verb === 'day' && folder !== undefined) {
    process.stdout.write(`${JSON.stringify(mutateDay(folder, first ?? 1))}\n`);
  } else {
    process.stderr.write('usage: hosting-tree.ts make FOLDER FILES [SEED] | day FOLDER [SEED]\n');
    process.exitCode = 2;
  }
}
