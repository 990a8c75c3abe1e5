import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setAttributeSync } from 'fs-xattr';
import type { VirtualSite } from './virtual-server.ts';

function services({ name, domain, adminUser }: VirtualSite): Record<string, Record<string, string>> {
  return {
    siteinfo: {
      version: '3.0',
      enabled: '1',
      domain,
      admin_user: adminUser,
      admin: name.replace('site', 'admin'),
      email: `['postmaster@${domain}','owner@${domain}']`,
      plan: 'basic',
    },
    aliases: { version: '3.0', enabled: '1', aliases: '[]' },
    diskquota: { version: '3.0', enabled: '1', quota: '2000', units: 'MB' },
    mysql: { version: '3.0', enabled: '1', dbaseadmin: adminUser, dbaseprefix: `${adminUser}_` },
    apache: { version: '3.0', enabled: '1', webserver: `www.${domain}`, jail: '1' },
    ssh: { version: '3.0', enabled: '0', port_index: 'None' },
  };
}

/** Fills `info` as the panel keeps it: service files, markers of the layers, users, and the secret in a preference file's attribute. */
export function makeServiceFiles(site: VirtualSite): void {
  for (const folder of ['current', 'new', 'old', 'services', 'users']) mkdirSync(join(site.info, folder));
  for (const [service, values] of Object.entries(services(site))) {
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(join(site.info, 'current', service), `[${service}]\n${lines.join('')}`, { mode: 0o600 });
  }
  for (const layer of ['siteinfo', 'ssh']) writeFileSync(join(site.info, 'services', layer), '');
  writeFileSync(join(site.info, 'users', site.adminUser), 'a:1:{s:5:"theme";s:4:"dark";}');
  setAttributeSync(join(site.info, 'users', site.adminUser), 'trusted.totp', Buffer.from(`secret of ${site.name}\0`));
  writeFileSync(join(site.info, 'email_addr'), `owner@${site.domain}\n`);
}
