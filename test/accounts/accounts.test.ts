import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Description, describeTree } from '../fidelity/description.ts';
import { removeTree } from './clean-up.ts';
import { fillSite } from './hosting-site.ts';
import { makeSmallWebApplication } from './site-software.ts';
import { makeTortureTree } from './torture-tree.ts';
import { makeVirtualServer } from './virtual-server.ts';

async function describeAll(root: string): Promise<Map<string, Description>> {
  const found = new Map<string, Description>();
  for await (const entry of describeTree(root)) found.set(entry.path, entry);
  return found;
}

describe('the accounts that tests work on', () => {
  let place: string;

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'accounts-'));
  });

  afterEach(async () => {
    await removeTree(place);
    expect(existsSync(place)).to.equal(false);
  });

  it('have marks that the kernel made: whiteouts, opaque directories, origins', async () => {
    const application = join(place, 'application');
    makeSmallWebApplication(application);
    const accounts = join(place, 'virtual');
    const [site] = await makeVirtualServer(accounts, 2);
    await fillSite(site!, application);
    const shadow = await describeAll(site!.shadow);
    expect(shadow.get('etc/hosts')).to.include({ kind: 'character-device', device: '0:0' });
    expect(shadow.get('usr/share/doc/two')!.xattrs).to.have.property('trusted.overlay.opaque', '79');
    expect(shadow.get('etc/passwd')!.xattrs).to.have.property('trusted.overlay.origin');
    expect(shadow.get('var/www/html/wp-content')!.xattrs).to.include.keys('system.posix_acl_access', 'system.posix_acl_default');
    expect(shadow.get('home/owner1/odd/server')!.xattrs).to.have.property('security.capability');
    expect(shadow.get('home/owner1/odd/disk.img')!.data).to.be.a('string');
    expect(shadow.has('home/owner1/odd/caf\xe9.txt')).to.equal(true);
    expect(readdirSync(accounts)).to.include.members(['site1', 'site2', 'example1.test', 'admin2', 'FILESYSTEMTEMPLATE']);
  });

  it('may be a tree with one of everything', async () => {
    await makeTortureTree(join(place, 'tree'), { many: 100, levels: 1010 });
    const entries = await describeAll(join(place, 'tree'));
    const kinds = new Set([...entries.values()].map(({ kind }) => kind));
    expect([...kinds]).to.have.members(['file', 'directory', 'symlink', 'fifo', 'socket', 'character-device', 'block-device']);
    expect([...entries.keys()].some((path) => path.length > 4096)).to.equal(true);
    expect([...entries.keys()].some((path) => path.split('/').length > 1010)).to.equal(true);
    expect(entries.get('flags/immutable')!.flags).to.equal(0x10);
    expect(entries.get('times/-1.1')!.mtime).to.equal('-999999999');
    expect(entries.get('attributes/file')!.xattrs).to.include.keys('user.\xff\xfe', 'user.a=b', 'trusted.secret');
    expect(entries.get('special/link dangling')!.firstName).to.equal('hard/also link dangling');
  });
});
