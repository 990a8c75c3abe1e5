import { chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { APACHE_UID, type VirtualSite } from './virtual-server.ts';

const MAIL_COUNT = 240;

/** The home of the account's administrator, made when it is missing. */
export function homeOf(site: VirtualSite): string {
  const home = join(site.fst, 'home', site.adminUser);
  mkdirSync(home, { recursive: true, mode: 0o711 });
  chownSync(home, site.uid, site.gid);
  return home;
}

/** Installs a web application's files with ACLs as Fortification gives them: the web server writes uploads, the owner everything. */
export async function installWebApplication(site: VirtualSite, source: string): Promise<void> {
  const documents = join(site.fst, 'var/www/html');
  cpSync(source, documents, { recursive: true, verbatimSymlinks: true });
  const uploads = join(documents, 'wp-content/uploads/2026/11');
  mkdirSync(uploads, { recursive: true });
  for (let photo = 0; photo < 12; photo++)
    writeFileSync(join(uploads, `photo-${photo}.jpg`), Buffer.alloc(60_000 + photo * 977, `jpeg ${photo}`));
  writeFileSync(join(documents, 'wp-config.php'), `<?php define('DB_NAME', '${site.adminUser}_wp');\n`, { mode: 0o640 });
  await execa('chown', ['-R', `${site.uid}:${site.gid}`, documents]);
  const content = join(documents, 'wp-content');
  await execa('setfacl', ['-R', '-m', `u:${APACHE_UID}:rwx,u:${site.uid}:rwx`, content]);
  await execa('setfacl', ['-R', '-d', '-m', `u:${APACHE_UID}:rwx,u:${site.uid}:rwx`, content]);
  await execa('setfacl', ['-m', `u:${APACHE_UID}:r--`, join(documents, 'wp-config.php')]);
  await execa('find', [content, '-type', 'd', '-exec', 'chmod', 'g+s', '{}', '+']);
}

/** Makes a Maildir with some hundred messages, some of them read, some in folders of their own. */
export async function makeMaildir(site: VirtualSite): Promise<void> {
  const mail = join(homeOf(site), 'Mail');
  for (const folder of ['', '.Sent', '.Trash', '.Entw&APw-rfe']) {
    for (const state of ['cur', 'new', 'tmp']) mkdirSync(join(mail, folder, state), { recursive: true, mode: 0o700 });
  }
  for (let number = 0; number < MAIL_COUNT; number++) {
    const folder = ['', '', '', '.Sent', '.Trash'][number % 5]!;
    const state = number % 3 === 0 ? 'new' : 'cur';
    const name = `${1_790_000_000 + number * 731}.M${number}P77.${site.domain}${state === 'cur' ? ':2,S' : ''}`;
    const body = `Line of message ${number}\r\n`.repeat(20 + ((number * 37) % 200));
    const text = `From: someone@example.test\r\nTo: owner@${site.domain}\r\nSubject: message ${number}\r\n\r\n${body}`;
    writeFileSync(join(mail, folder, state, name), text, { mode: 0o600 });
  }
  writeFileSync(join(mail, 'dovecot-uidlist'), '3 V1790000000 N241\n');
  await execa('chown', ['-R', `${site.uid}:${site.gid}`, mail]);
}

/** Makes a git working copy with a history, packed objects, a branch and changes that are not committed. */
export async function makeGitWorkingCopy(site: VirtualSite): Promise<void> {
  const project = join(homeOf(site), 'project');
  const identity = ['-c', 'user.name=Owner', '-c', `user.email=owner@${site.domain}`, '-c', 'safe.directory=*'];
  const git = (...args: string[]) => execa('git', [...identity, '-C', project, ...args], { env: { GIT_CONFIG_NOSYSTEM: '1' } });
  mkdirSync(join(project, 'source'), { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  for (let commit = 0; commit < 6; commit++) {
    writeFileSync(join(project, 'source', `part-${commit}.php`), `<?php // part ${commit}\n`.repeat(50));
    writeFileSync(join(project, 'CHANGES'), `change ${commit}\n`.repeat(commit + 1));
    await git('add', '--all');
    await git('commit', '--quiet', '-m', `Change ${commit}`);
    if (commit === 3) await git('gc', '--quiet');
  }
  await git('branch', 'next');
  writeFileSync(join(project, 'CHANGES'), 'not committed yet\n');
  await execa('chown', ['-R', `${site.uid}:${site.gid}`, project]);
}

/** Files of a live database, which no backup of files may contain. */
export function makeLiveDatabaseFiles(site: VirtualSite): void {
  const data = join(site.fst, 'var/lib/mysql', `${site.adminUser}_wp`);
  mkdirSync(data, { recursive: true });
  for (const table of ['posts', 'users']) writeFileSync(join(data, `${table}.ibd`), Buffer.alloc(98_304, table));
  writeFileSync(join(site.fst, 'var/lib/mysql/ibdata1'), Buffer.alloc(262_144, 'live'));
}

/** A small stand-in for a web application, for tests that must not depend on a package. */
export function makeSmallWebApplication(folder: string): void {
  for (const part of ['wp-admin', 'wp-includes/css', 'wp-content/plugins/one', 'wp-content/themes/two']) {
    mkdirSync(join(folder, part), { recursive: true });
    for (let file = 0; file < 25; file++)
      writeFileSync(join(folder, part, `file-${file}.php`), `<?php // ${part} ${file}\n`.repeat(40 + file));
  }
  for (const name of ['index.php', 'wp-login.php']) writeFileSync(join(folder, name), `<?php // ${name} begins here\n`);
}
