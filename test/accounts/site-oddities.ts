import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { setAttributeSync } from 'fs-xattr';
import { homeOf } from './site-software.ts';
import type { VirtualSite } from './virtual-server.ts';

const MEBIBYTE = 1024 * 1024;

/** Changes what the template gave, so that the kernel writes whiteouts, opaque directories and marks of copied files. */
export function changeTemplateFiles(site: VirtualSite): void {
  unlinkSync(join(site.fst, 'etc/hosts'));
  unlinkSync(join(site.fst, 'var/www/html/index.html'));
  rmSync(join(site.fst, 'usr/share/doc/one'), { recursive: true });
  rmSync(join(site.fst, 'usr/share/doc/two'), { recursive: true });
  mkdirSync(join(site.fst, 'usr/share/doc/two'));
  writeFileSync(join(site.fst, 'usr/share/doc/two/other'), 'hides what the template has\n');
  writeFileSync(join(site.fst, 'etc/passwd'), `${site.adminUser}:x:${site.uid}:${site.gid}::/home/${site.adminUser}:/bin/bash\n`, {
    flag: 'a',
  });
  chmodSync(join(site.fst, 'etc/mime.types'), 0o600);
  renameSync(join(site.fst, 'usr/bin/tool'), join(site.fst, 'usr/bin/renamed tool'));
}

/** Puts one of each unusual thing that accounts hold into the home of the administrator. */
export async function makeOddities(site: VirtualSite): Promise<void> {
  const odd = join(homeOf(site), 'odd');
  const at = (name: string): string => join(odd, name);
  mkdirSync(odd);
  writeFileSync(at('original'), 'one inode, three names\n');
  linkSync(at('original'), at('a second name'));
  linkSync(at('original'), join(homeOf(site), 'a third name'));
  writeFileSync(at('disk.img'), 'boot sector');
  truncateSync(at('disk.img'), 64 * MEBIBYTE);
  writeFileSync(at('server'), '\x7fELF, or something like it\n', { mode: 0o755 });
  await execa('setcap', ['cap_net_bind_service=ep', at('server')]);
  for (const name of ['caf\xe9.txt', '\xff\xfe', 'new\nline', '-rf']) writeFileSync(Buffer.from(at(name), 'latin1'), `named ${name}`);
  mkdirSync(at('shared'));
  chownSync(at('shared'), site.uid, site.gid);
  chmodSync(at('shared'), 0o2770);
  mkdirSync(at('closed'));
  writeFileSync(at('closed/inside'), 'behind mode 000\n');
  chmodSync(at('closed'), 0);
  symlinkSync('/etc/passwd', at('to the server'));
  symlinkSync('nowhere', at('dangling'));
  await execa('mkfifo', [at('queue')]);
  await execa('/usr/bin/python3', ['-c', 'import os, sys; os.mknod(sys.argv[1], 0o140755)', at('application.sock')]);
  writeFileSync(at('tagged'), 'with attributes\n');
  setAttributeSync(at('tagged'), 'user.mime_type', Buffer.from('text/plain'));
  setAttributeSync(at('tagged'), 'user.empty', Buffer.alloc(0));
  writeFileSync(at('old'), 'before the epoch\n');
  await execa('touch', ['-d', '@-86400.123456789', at('old')]);
  await execa('chattr', ['+d', at('tagged')]);
}
