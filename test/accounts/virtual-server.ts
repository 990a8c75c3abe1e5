import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { makeServiceFiles } from './service-files.ts';
import { makeTemplate } from './template.ts';

/** The web server's user as it stands in ACLs, on this kind of system. */
export const APACHE_UID = 48;

/** One account of a server that is laid out as ApisCP does, with `fst` mounted. */
export interface VirtualSite {
  readonly name: string;
  readonly domain: string;
  readonly adminUser: string;
  /** Of the account's administrator, and the group of the whole account. */
  readonly uid: number;
  readonly gid: number;
  /** siteN itself, its mounted OverlayFS, and that one's upper layer. */
  readonly folder: string;
  readonly fst: string;
  readonly shadow: string;
  readonly info: string;
}

const TEMPLATE = 'FILESYSTEMTEMPLATE';
const LAYERS = ['ssh', 'siteinfo'];

/** Mounts a site's `fst` over its template and its `shadow`, as the panel does when the server starts. */
export async function mountSite(accountsRoot: string, site: VirtualSite): Promise<void> {
  const lower = LAYERS.map((layer) => join(accountsRoot, TEMPLATE, layer)).join(':');
  const options = `lowerdir=${lower},upperdir=${site.shadow},workdir=${join(site.folder, '.work')}`;
  await execa('mount', ['-t', 'overlay', site.name, '-o', options, site.fst]);
}

/**
 * Makes an accounts root with the template layers and empty accounts site1 … siteN: `info` with service files, `shadow`, `fst`
 * mounted, and beside them the links by domain and by administrator. `removeTree` undoes it.
 */
export async function makeVirtualServer(accountsRoot: string, siteCount: number): Promise<VirtualSite[]> {
  mkdirSync(accountsRoot, { recursive: true });
  await makeTemplate(join(accountsRoot, TEMPLATE), LAYERS);
  const sites: VirtualSite[] = [];
  for (let id = 1; id <= siteCount; id++) {
    const name = `site${id}`;
    const folder = join(accountsRoot, name);
    const [fst, shadow, info] = ['fst', 'shadow', 'info'].map((part) => join(folder, part)) as [string, string, string];
    for (const made of [fst, shadow, info, join(folder, '.work')]) mkdirSync(made, { recursive: true });
    const ids = { uid: 1000 + id, gid: 1000 + id };
    const site = { name, domain: `example${id}.test`, adminUser: `owner${id}`, ...ids, folder, fst, shadow, info };
    makeServiceFiles(site);
    symlinkSync(name, join(accountsRoot, site.domain));
    symlinkSync(name, join(accountsRoot, `admin${id}`));
    await mountSite(accountsRoot, site);
    sites.push(site);
  }
  writeFileSync(join(accountsRoot, 'notes'), 'not an account\n');
  return sites;
}
