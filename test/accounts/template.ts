import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/** Files of the layers that all accounts share. */
const FILES: Readonly<Record<string, string>> = {
  'siteinfo/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  'siteinfo/etc/hosts': '127.0.0.1 localhost\n',
  'siteinfo/etc/mime.types': 'text/html html\n',
  'siteinfo/etc/skel/.bashrc': 'alias ll="ls -l"\n',
  'siteinfo/var/www/html/index.html': '<h1>This site was just created</h1>\n',
  'siteinfo/var/www/cgi-bin/test.cgi': '#!/bin/sh\necho\n',
  'siteinfo/usr/share/doc/one/README': 'one\n',
  'siteinfo/usr/share/doc/two/README': 'two\n',
  'ssh/usr/bin/ping': '\x7fELF, or something like it\n',
  'ssh/usr/bin/tool': '#!/bin/sh\n',
};

/** Makes the read-only layers (`FILESYSTEMTEMPLATE/<service>`) over which every account is mounted. */
export async function makeTemplate(folder: string, layers: readonly string[]): Promise<void> {
  for (const layer of layers) {
    for (const part of ['home', 'tmp', 'var/log', 'var/lib/mysql', 'var/lib/php'])
      mkdirSync(join(folder, layer, part), { recursive: true });
    chmodSync(join(folder, layer, 'tmp'), 0o1777);
  }
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  chmodSync(join(folder, 'ssh/usr/bin/ping'), 0o755);
  chownSync(join(folder, 'siteinfo/var/www/html'), 48, 48);
  symlinkSync('mime.types', join(folder, 'siteinfo/etc/types'));
  await execa('setcap', ['cap_net_raw=ep', join(folder, 'ssh/usr/bin/ping')]);
}
