import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { removeAttributeSync } from 'fs-xattr';
import type { VirtualSite } from '../accounts/virtual-server.ts';

/** Overwrites the beginning of a file and hides that: size and modification time stay. */
function tamper(file: string): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(file, '<?php system($_GET["x"]); ?>', { flag: 'r+' });
  utimesSync(file, atime, mtime);
}

function deleteMail(mail: string): void {
  for (const name of readdirSync(join(mail, 'cur'))) unlinkSync(join(mail, 'cur', name));
  rmSync(join(mail, '.Sent'), { recursive: true });
}

function breakOddities(odd: string): void {
  unlinkSync(join(odd, 'a second name'));
  writeFileSync(join(odd, 'a second name'), 'no longer the same inode\n');
  truncateSync(join(odd, 'disk.img'), 1000);
  unlinkSync(Buffer.from(join(odd, 'caf\xe9.txt'), 'latin1'));
  chmodSync(join(odd, 'shared'), 0o777);
  chmodSync(join(odd, 'closed'), 0o755);
  chownSync(join(odd, 'server'), 0, 12);
  removeAttributeSync(join(odd, 'tagged'), 'user.mime_type');
  unlinkSync(join(odd, 'queue'));
  writeFileSync(join(odd, 'queue'), 'a file where a FIFO was\n');
}

/** What goes wrong in an account, done through its mount: deleted, overwritten, with other modes, owners and ACLs, replaced. */
export async function damageSite(site: VirtualSite): Promise<void> {
  const documents = join(site.fst, 'var/www/html');
  const home = join(site.fst, 'home', site.adminUser);
  unlinkSync(join(documents, 'wp-config.php'));
  rmSync(join(documents, 'wp-admin'), { recursive: true });
  symlinkSync('/tmp', join(documents, 'wp-admin'));
  tamper(join(documents, 'index.php'));
  for (const name of ['shell.php', '.hidden']) writeFileSync(join(documents, name), 'left by an intruder\n');
  renameSync(join(documents, 'wp-login.php'), join(documents, 'wp-login.php.bak'));
  await execa('setfacl', ['-R', '-b', '-k', join(documents, 'wp-content/uploads')]);
  await execa('setfacl', ['-R', '-m', 'o::rwx', join(documents, 'wp-content/plugins')]);
  await execa('chmod', ['-R', 'a-w,g-s', join(documents, 'wp-includes')]);
  await execa('chown', ['-R', '0:0', join(home, 'project')]);
  deleteMail(join(home, 'Mail'));
  rmSync(join(home, 'project/.git/objects'), { recursive: true });
  breakOddities(join(home, 'odd'));
  mkdirSync(join(home, 'new folder/below'), { recursive: true });
  writeFileSync(join(site.fst, 'etc/hosts'), 'a template file that the account had deleted\n');
  unlinkSync(join(site.fst, 'etc/passwd'));
  writeFileSync(join(site.info, 'current/siteinfo'), '');
  removeAttributeSync(join(site.info, 'users', site.adminUser), 'trusted.totp');
}
