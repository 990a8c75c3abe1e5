import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { APACHE_UID, type VirtualSite } from '../accounts/virtual-server.ts';

const PICTURE_BYTES = 1_500_000;

/** A day of an account: what happens to it, through its mount, and the level of the backup in its evening. */
export interface WeekDay {
  readonly name: string;
  readonly what: string;
  readonly level: 'full' | 'differential' | 'incremental';
  live(site: VirtualSite): Promise<void> | void;
}

function documents(site: VirtualSite): string {
  return join(site.fst, 'var/www/html');
}

function writeOwned(site: VirtualSite, file: string, content: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chownSync(file, site.uid, site.gid);
}

function receiveMail(site: VirtualSite, count: number): void {
  const folder = join(site.fst, 'home', site.adminUser, 'Mail/new');
  for (let number = 0; number < count; number++) {
    const name = `${1_795_000_000 + number}.M${number}P9.${site.domain}`;
    writeOwned(site, join(folder, name), `From: someone@example.test\r\nSubject: this week ${number}\r\n\r\nHello\r\n`);
  }
}

function publish(site: VirtualSite): void {
  const uploads = join(documents(site), 'wp-content/uploads/2026/11');
  for (const name of ['beach.jpg', 'sunset.jpg']) writeOwned(site, join(uploads, name), randomBytes(PICTURE_BYTES));
  receiveMail(site, 12);
}

/** Switches a plugin off as people do, by its folder's name, moves pictures and lets the web server write a folder. */
async function tidyUp(site: VirtualSite): Promise<void> {
  const content = join(documents(site), 'wp-content');
  renameSync(join(content, 'plugins/akismet'), join(content, 'plugins/akismet.off'));
  renameSync(join(content, 'uploads/2026/11'), join(content, 'uploads/2026/november'));
  await execa('setfacl', ['-m', `u:${APACHE_UID}:rwx`, documents(site)]);
}

function relaunch(site: VirtualSite): void {
  const index = join(documents(site), 'index.php');
  appendFileSync(index, "// The shop opens today.\ndefine('SHOP_OPEN', true);\n");
  writeOwned(site, join(documents(site), 'shop/index.php'), '<?php // the shop\n');
  symlinkSync('shop/index.php', join(documents(site), 'offers.php'));
}

function loseMail(site: VirtualSite): void {
  const mail = join(site.fst, 'home', site.adminUser, 'Mail/new');
  for (const name of readdirSync(mail)) unlinkSync(join(mail, name));
  appendFileSync(join(documents(site), 'index.php'), '// A small correction.\n');
}

/** An intruder writes into a file and sets its time back, leaves a script and takes a folder away. */
async function breakIn(site: VirtualSite): Promise<void> {
  const index = join(documents(site), 'index.php');
  appendFileSync(index, '<?php system($_GET["x"]);\n');
  utimesSync(index, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  writeFileSync(join(documents(site), '.cache.php'), '<?php // left by an intruder\n');
  rmSync(join(documents(site), 'wp-admin'), { recursive: true });
  await execa('chmod', ['-R', 'o+w', join(documents(site), 'wp-includes')]);
}

/** The week of the demo. The differential on Tuesday makes Monday's incremental unnecessary for what comes after. */
export const WEEK: readonly WeekDay[] = [
  { name: 'Sunday', what: 'nothing happens', level: 'full', live: () => {} },
  { name: 'Monday', what: 'two pictures of 1.5 MB are published, 12 mails arrive', level: 'incremental', live: publish },
  { name: 'Tuesday', what: 'folders are renamed, an access list changes', level: 'differential', live: tidyUp },
  { name: 'Wednesday', what: 'the shop opens', level: 'incremental', live: relaunch },
  { name: 'Thursday', what: 'mail is deleted by mistake', level: 'incremental', live: loseMail },
  { name: 'Friday', what: 'an intruder writes, sets times back, deletes', level: 'incremental', live: breakIn },
];
