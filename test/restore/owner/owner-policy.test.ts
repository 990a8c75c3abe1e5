import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AclTag, formatAcl } from '../../../core/linux/posix-acl.ts';
import type { Entry } from '../../../core/manifest/entry.ts';
import { finishDirectory } from '../../../core/restore/directories/directories.ts';
import type { Outcome } from '../../../core/restore/outcome.ts';
import type { OwnerRights } from '../../../core/restore/owner/owner-rights.ts';
import type { RestoreOrder } from '../../../core/restore/restore.ts';
import { Staging } from '../../../core/restore/target/staging.ts';
import { Target } from '../../../core/restore/target/target.ts';
import { writeHardLink } from '../../../core/restore/write/hard-links.ts';
import { NOTHING_EXCLUDED } from '../nothing-excluded.ts';
import { openRoot, restoreSample } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

const [ALICE, BOB, GROUP, NEIGHBOUR, APACHE, SERVICE] = [2001, 2002, 2000, 3001, 48, 987];
const RIGHTS: OwnerRights = {
  ...{ users: new Set([ALICE, BOB]), group: GROUP, folderOwner: ALICE, systemIdsBelow: 500, named: new Set([SERVICE]) },
  elsewhere: false,
};
const OWN = { uid: ALICE, gid: GROUP };
const HOME = 'shadow/home/alice';
const FS_IMMUTABLE = 0x10;
const FS_NODUMP = 0x40;

function acl(...named: [tag: number, id: number][]): Buffer {
  const entry = (tag: number, id = 0xffffffff) => ({ tag, permissions: 7, id });
  const of = (tag: number) => named.filter((each) => each[0] === tag).map(([, id]) => entry(tag, id));
  return formatAcl([
    ...[entry(AclTag.userObject), ...of(AclTag.user), entry(AclTag.groupObject), ...of(AclTag.group)],
    ...[entry(AclTag.mask), entry(AclTag.other)],
  ]);
}

describe('restoring for the owner of an account', () => {
  let work: string;
  let target: string;
  let sample: SampleSnapshot;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-owner-'));
    target = join(work, 'site1');
    sample = new SampleSnapshot();
    mkdirSync(join(target, HOME), { recursive: true });
    chownSync(join(target, HOME), ALICE, GROUP);
    directory('shadow', { uid: 0, gid: 0 });
    directory('shadow/home', { uid: 0, gid: 0 });
    directory(HOME);
  });

  afterEach(() => {
    sample.close();
    // It fails for links and special files.
    spawnSync('chattr', ['-R', '-f', '-i', '-a', work]);
    execFileSync('rm', ['-rf', work]);
  });

  const at = (path: string) => join(target, path);
  const add = (path: string, over: Partial<Entry>) => sample.add(sampleEntry(path, { ...OWN, ...over }));
  const directory = (path: string, over: Partial<Entry> = {}) => add(path, { kind: 'directory', mode: 0o755, ...over });
  async function file(path: string, over: Partial<Entry> = {}, text = 'from the snapshot'): Promise<void> {
    const content = Buffer.from(text);
    const [extent] = await sample.store(`packs/${path}`, [content]);
    add(path, { size: content.length, content: { digest: extent!.digest, extents: [extent!] }, ...over });
  }
  function restore(over: Partial<RestoreOrder> = {}): Promise<Outcome> {
    sample.commit();
    return restoreSample(sample, target, { owner: RIGHTS, paths: ['shadow'], ...over });
  }
  const refused = ({ problems }: Outcome) => problems.first.filter(({ code }) => code === 'owner_not_allowed').map(({ path }) => path);
  const lost = ({ problems }: Outcome) =>
    problems.first.filter(({ code }) => code === 'attribute_refused').map(({ path, message }) => [path, message]);
  const attributes = (path: string) =>
    execFileSync('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', at(path)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => line.slice(0, line.indexOf('=')));

  it("gives back what is the account's, through directories of root, without a word", async () => {
    await file(`${HOME}/page`, { mode: 0o640, uid: BOB });
    directory(`${HOME}/new`, { mode: 0o1770 });
    add(`${HOME}/new/link`, { kind: 'symlink', mode: 0o777, linkTarget: '/etc/passwd' });
    add(`${HOME}/new/fifo`, { kind: 'fifo', mode: 0o600 });
    const before = lstatSync(at('shadow/home'), { bigint: true });
    const outcome = await restore();
    expect(outcome.problems.first).to.deep.equal([]);
    expect(outcome).to.include({ status: 'ok', entries: 7, written: 5, skipped: 2 });
    expect(lstatSync(at(`${HOME}/page`))).to.include({ uid: BOB, gid: GROUP, mode: 0o100640 });
    expect(lstatSync(at(`${HOME}/new`))).to.include({ ...OWN, mode: 0o041770 });
    expect(lstatSync(at(`${HOME}/new/link`))).to.include(OWN);
    expect(lstatSync(at('shadow/home'), { bigint: true })).to.deep.equal(before);
  });

  it('gives no set-uid and no set-gid bits but the set-gid bit of directories (case 7)', async () => {
    await file(`${HOME}/setuid`, { mode: 0o6755 });
    directory(`${HOME}/folder`, { mode: 0o6775 });
    const outcome = await restore();
    expect(lstatSync(at(`${HOME}/setuid`)).mode & 0o7777).to.equal(0o755);
    expect(lstatSync(at(`${HOME}/folder`)).mode & 0o7777).to.equal(0o2775);
    expect(lost(outcome).map(([path]) => path)).to.have.members([`${HOME}/setuid`, `${HOME}/folder`]);
    expect(outcome.status).to.equal('partial');
  });

  it('gives no capabilities, labels and trusted attributes, in writing threads too (case 7)', async () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const xattrs = [
      { name: 'security.capability', value: capability },
      { name: 'security.selinux', value: Buffer.from('label\0') },
      { name: 'trusted.secret', value: Buffer.from('t') },
      { name: 'user.note', value: Buffer.from('u') },
    ];
    await file(`${HOME}/small`, { xattrs });
    // Two packs are two tasks, for threads.
    await file(`${HOME}/other`, { xattrs, mode: 0o4711 }, 'x'.repeat(100));
    const outcome = await restore();
    for (const name of ['small', 'other']) expect(attributes(`${HOME}/${name}`)).to.deep.equal(['user.note']);
    expect(lstatSync(at(`${HOME}/other`)).mode & 0o7777).to.equal(0o711);
    expect(lost(outcome)[1]![1]).to.match(/: security\.capability, trusted\.secret$/);
  });

  it('keeps of OverlayFS what hides, not what points elsewhere (case 7)', async () => {
    const xattrs = ['metacopy', 'opaque', 'origin', 'redirect'].map((name) => ({
      name: `trusted.overlay.${name}`,
      value: Buffer.from('y'),
    }));
    directory(`${HOME}/folder`, { xattrs });
    const outcome = await restore();
    expect(attributes(`${HOME}/folder`)).to.deep.equal(['trusted.overlay.opaque']);
    expect(lost(outcome)[0]![1]).to.match(/: trusted\.overlay\.metacopy, trusted\.overlay\.redirect$/);
  });

  it('leaves alone what an administrator set on a directory that exists (case 7)', async () => {
    mkdirSync(at(`${HOME}/folder`));
    chownSync(at(`${HOME}/folder`), ALICE, GROUP);
    execFileSync('setfattr', ['-n', 'trusted.secret', '-v', 'kept', at(`${HOME}/folder`)]);
    execFileSync('setfattr', ['-n', 'user.old', '-v', 'gone', at(`${HOME}/folder`)]);
    directory(`${HOME}/folder`, { xattrs: [{ name: 'trusted.secret', value: Buffer.from('other') }] });
    await restore();
    expect(attributes(`${HOME}/folder`)).to.deep.equal(['trusted.secret']);
    const value = execFileSync('getfattr', ['-n', 'trusted.secret', '--only-values', at(`${HOME}/folder`)], { encoding: 'utf8' });
    expect(value).to.equal('kept');
  });

  it('makes no devices but whiteouts, and those where the account may delete (case 8)', async () => {
    mkdirSync(at('shadow/usr'));
    directory('shadow/usr', { uid: 0, gid: 0 });
    add('shadow/usr/hidden', { kind: 'character-device', deviceNumber: { major: 0, minor: 0 }, uid: 0, gid: 0 });
    add(`${HOME}/hidden`, { kind: 'character-device', deviceNumber: { major: 0, minor: 0 }, uid: 0, gid: 0 });
    add(`${HOME}/memory`, { kind: 'character-device', deviceNumber: { major: 1, minor: 1 } });
    add(`${HOME}/disk`, { kind: 'block-device', deviceNumber: { major: 0, minor: 0 } });
    const outcome = await restore();
    expect(readdirSync(at(HOME))).to.deep.equal(['hidden']);
    expect(lstatSync(at(`${HOME}/hidden`))).to.include({ rdev: 0, uid: 0 });
    expect(readdirSync(at('shadow/usr'))).to.deep.equal([]);
    expect(refused(outcome)).to.have.members([`${HOME}/memory`, `${HOME}/disk`, 'shadow/usr/hidden']);
  });

  it('leaves out what belongs to others, and what is in directories that only they could make (case 12)', async () => {
    await file(`${HOME}/roots`, { uid: 0, gid: 0 });
    await file(`${HOME}/apaches`, { uid: APACHE });
    await file(`${HOME}/neighbours`, { uid: NEIGHBOUR });
    await file(`${HOME}/other-group`, { gid: 3000 });
    directory('shadow/usr', { uid: 0, gid: 0 });
    await file('shadow/usr/own');
    const outcome = await restore();
    expect(readdirSync(at(HOME))).to.deep.equal([]);
    expect(existsSync(at('shadow/usr'))).to.equal(false);
    const names = ['roots', 'apaches', 'neighbours', 'other-group'].map((name) => `${HOME}/${name}`);
    expect(refused(outcome)).to.have.members([...names, 'shadow/usr', 'shadow/usr/own']);
    expect(outcome).to.include({ status: 'partial', failed: 6 });
  });

  it('gives no directory to the account that belongs to somebody else now (case 12)', async () => {
    for (const name of ['folder', 'apaches']) mkdirSync(at(`${HOME}/${name}`));
    chownSync(at(`${HOME}/apaches`), APACHE, GROUP);
    directory(`${HOME}/folder`, { mode: 0o777 });
    await file(`${HOME}/folder/page`);
    const outcome = await restore();
    expect(lstatSync(at(`${HOME}/folder`))).to.include({ uid: 0, gid: 0, mode: 0o040755 });
    expect(readdirSync(at(`${HOME}/folder`))).to.deep.equal([]);
    expect(refused(outcome)).to.deep.equal([`${HOME}/folder`, `${HOME}/folder/page`]);
  });

  it('replaces and removes only what a user of the account could (case 12)', async () => {
    for (const folder of ['locked', 'locked/deep', 'own']) {
      mkdirSync(at(`shadow/${folder}`));
      directory(`shadow/${folder}`, folder === 'own' ? {} : { uid: 0, gid: 0 });
    }
    chownSync(at('shadow/own'), ALICE, GROUP);
    for (const place of ['locked/roots', 'own/roots', 'own/extra', 'locked/extra']) writeFileSync(at(`shadow/${place}`), 'of root');
    mkdirSync(at('shadow/own/tree/deep'), { recursive: true });
    writeFileSync(at('shadow/own/tree/deep/roots'), 'of root');
    await file('shadow/locked/roots');
    writeFileSync(at('shadow/locked/file'), 'of root');
    directory('shadow/locked/file');
    await file('shadow/own/roots');
    const outcome = await restore({ deletion: true, overwrite: 'changed' });
    expect(readFileSync(at('shadow/locked/roots'), 'utf8')).to.equal('of root');
    expect(readFileSync(at('shadow/own/roots'), 'utf8')).to.equal('from the snapshot');
    expect(existsSync(at('shadow/locked/extra'))).to.equal(true);
    expect(existsSync(at('shadow/own/extra'))).to.equal(false);
    expect(existsSync(at('shadow/own/tree/deep/roots'))).to.equal(true);
    expect(refused(outcome)).to.have.members(['shadow/locked/file', 'shadow/locked/roots', 'shadow/own/tree']);
  });

  it('with deletion keeps what it may not give back', async () => {
    await file(`${HOME}/roots`, { uid: 0, gid: 0 });
    writeFileSync(at(`${HOME}/roots`), 'still there');
    writeFileSync(at(`${HOME}/new`), 'made since');
    chownSync(at(`${HOME}/new`), ALICE, GROUP);
    for (const [name, now, then] of [
      ['handed-over', 0, ALICE],
      ['taken-over', ALICE, 0],
    ] as const) {
      mkdirSync(at(`${HOME}/${name}`));
      writeFileSync(at(`${HOME}/${name}/extra`), 'made since');
      chownSync(at(`${HOME}/${name}/extra`), ALICE, GROUP);
      chownSync(at(`${HOME}/${name}`), now, now === ALICE ? GROUP : 0);
      directory(`${HOME}/${name}`, { uid: then });
    }
    await restore({ deletion: true });
    expect(readdirSync(at(HOME))).to.deep.equal(['handed-over', 'roots', 'taken-over']);
    for (const name of ['handed-over', 'taken-over']) expect(readdirSync(at(`${HOME}/${name}`)), name).to.deep.equal(['extra']);
    expect(readFileSync(at(`${HOME}/roots`), 'utf8')).to.equal('still there');
  });

  it('gives no file of somebody else to the account that has the right content (case 12)', async () => {
    const names = ['one', 'in-a-thread'];
    const inodes = names.map((name) => {
      writeFileSync(at(`${HOME}/${name}`), 'from the snapshot');
      return lstatSync(at(`${HOME}/${name}`)).ino;
    });
    for (const name of names) await file(`${HOME}/${name}`);
    expect((await restore({ overwrite: 'changed' })).status).to.equal('ok');
    for (const [index, name] of names.entries()) {
      expect(lstatSync(at(`${HOME}/${name}`))).to.include(OWN);
      expect(lstatSync(at(`${HOME}/${name}`)).ino).to.not.equal(inodes[index]);
    }
  });

  it('drops from ACLs whom the account does not know, and says so (case 13)', async () => {
    const value = acl(
      [AclTag.user, ALICE],
      [AclTag.user, APACHE],
      [AclTag.user, SERVICE],
      [AclTag.user, NEIGHBOUR],
      [AclTag.group, GROUP],
      [AclTag.group, 3000],
    );
    const names = ['system.posix_acl_access', 'system.posix_acl_default'];
    directory(`${HOME}/folder`, { mode: 0o777, xattrs: names.map((name) => ({ name, value })) });
    const outcome = await restore();
    const text = execFileSync('getfacl', ['-n', '-p', '-c', at(`${HOME}/folder`)], { encoding: 'utf8' });
    const named = text.split('\n').filter((line) => /^(default:)?(user|group):\d/.test(line));
    const kept = [`user:${APACHE}:rwx`, `user:${SERVICE}:rwx`, `user:${ALICE}:rwx`, `group:${GROUP}:rwx`];
    expect(named).to.have.members([...kept, ...kept.map((line) => `default:${line}`)]);
    expect(lost(outcome)[0]![1]).to.contain(`posix_acl_access for user ${NEIGHBOUR}`).and.contain('posix_acl_default for group 3000');
  });

  it('neither gives nor takes protection against changes', async () => {
    await file(`${HOME}/immutable`, { inodeFlags: FS_IMMUTABLE | FS_NODUMP });
    for (const name of ['locked', 'append']) {
      writeFileSync(at(`${HOME}/${name}`), 'now');
      chownSync(at(`${HOME}/${name}`), ALICE, GROUP);
      execFileSync('chattr', [name === 'locked' ? '+i' : '+a', at(`${HOME}/${name}`)]);
      await file(`${HOME}/${name}`);
    }
    const outcome = await restore();
    const flags = execFileSync('lsattr', [at(`${HOME}/immutable`)], { encoding: 'utf8' }).split(' ')[0]!;
    expect(flags).to.contain('d').and.not.contain('i');
    for (const name of ['locked', 'append']) expect(readFileSync(at(`${HOME}/${name}`), 'utf8')).to.equal('now');
    expect(outcome.problems.first.map(({ path }) => path)).to.have.members(
      ['immutable', 'locked', 'append'].map((name) => `${HOME}/${name}`),
    );
  });

  it('does not make a protected directory writable', async () => {
    mkdirSync(at(`${HOME}/folder`));
    chownSync(at(`${HOME}/folder`), ALICE, GROUP);
    execFileSync('chattr', ['+i', at(`${HOME}/folder`)]);
    directory(`${HOME}/folder`);
    await file(`${HOME}/folder/page`);
    const outcome = await restore();
    expect(outcome.status).to.equal('partial');
    expect(readdirSync(at(`${HOME}/folder`))).to.deep.equal([]);
    expect(execFileSync('lsattr', ['-d', at(`${HOME}/folder`)], { encoding: 'utf8' }).split(' ')[0]).to.contain('i');
  });

  it('hands out no file that a user planted by a hard link (case 26)', async () => {
    const names = { inode: 77n, linkCount: 2, uid: 0, gid: 0 };
    await file(`${HOME}/planted`, names);
    await file('shadow/usr-passwd', names);
    const own = { inode: 78n, linkCount: 2 };
    await file(`${HOME}/first`, own);
    await file(`${HOME}/second`, own);
    const outcome = await restore();
    expect(readdirSync(at(HOME))).to.have.members(['first', 'second']);
    expect(lstatSync(at(`${HOME}/first`)).ino).to.equal(lstatSync(at(`${HOME}/second`)).ino);
    expect(refused(outcome)).to.have.members([`${HOME}/planted`, 'shadow/usr-passwd']);
  });

  it('gives no further name to what was put in the place of the first one (case 26)', () => {
    for (const name of ['first', 'swapped']) {
      writeFileSync(at(`${HOME}/${name}`), '');
      chownSync(at(`${HOME}/${name}`), ALICE, GROUP);
    }
    const staging = Staging.open(openRoot(target).descriptor);
    const root = { ...openRoot(target), staging: staging.descriptor };
    const { dev, ino } = lstatSync(at(`${HOME}/first`));
    const restored = { device: (BigInt(dev >> 8) << 32n) | BigInt(dev & 0xff), inode: BigInt(ino) };
    const [from, to] = [new Target([root], RIGHTS), new Target([root], RIGHTS)];
    const rules = { overwrite: 'always', removeDirectories: false, exclude: NOTHING_EXCLUDED, owner: RIGHTS } as const;
    try {
      const link = (first: string, path: string) => writeHardLink(from.place(`${HOME}/${first}`), restored, to.place(path), path, rules);
      expect(link('first', `${HOME}/second`)).to.equal(true);
      expect(() => link('swapped', `${HOME}/third`))
        .to.throw()
        .with.property('code', 'replaced');
      expect(readdirSync(at(HOME))).to.deep.equal(['first', 'second', 'swapped']);
    } finally {
      for (const each of [from, to]) each.close();
      staging.close(() => {});
      closeSync(root.descriptor);
    }
  });

  it('gives no directory to the account that took the place of its own meanwhile (case 9)', () => {
    mkdirSync(at(`${HOME}/folder`));
    const root = openRoot(target);
    const live = new Target([root], RIGHTS);
    const entry = sampleEntry(`${HOME}/folder`, { kind: 'directory', ...OWN });
    const { dev, ino: inode } = lstatSync(at(`${HOME}/folder`), { bigint: true });
    const device = ((dev >> 8n) << 32n) | (dev & 0xffn);
    const rules = { overwrite: 'always', removeDirectories: false, exclude: NOTHING_EXCLUDED, owner: RIGHTS } as const;
    try {
      const finish = (made: boolean) =>
        finishDirectory(
          { target: live, place: live.place(entry.path), entry, directory: { made, inode, device } },
          { rules, report: () => {} },
        );
      expect(() => finish(false))
        .to.throw()
        .with.property('code', 'owner_not_allowed');
      expect(lstatSync(at(`${HOME}/folder`)).uid).to.equal(0);
      finish(true);
      expect(lstatSync(at(`${HOME}/folder`))).to.include(OWN);
    } finally {
      live.close();
      closeSync(root.descriptor);
    }
  });

  it("never touches what is the panel's in the account, whoever it belongs to", async () => {
    for (const name of ['etc', 'dev', 'proc']) {
      mkdirSync(at(`shadow/${name}`));
      directory(`shadow/${name}`);
      await file(`shadow/${name}/own`);
      writeFileSync(at(`shadow/${name}/extra`), 'x');
      for (const path of [name, `${name}/extra`]) chownSync(at(`shadow/${path}`), ALICE, GROUP);
    }
    const outcome = await restore({ deletion: true });
    for (const name of ['etc', 'dev', 'proc']) expect(readdirSync(at(`shadow/${name}`))).to.deep.equal(['extra']);
    expect(refused(outcome)).to.have.members(['shadow/etc', 'shadow/dev', 'shadow/proc']);
  });

  it("in a new folder makes the folders of others as the owner's, and no whiteouts", async () => {
    const folder = join(work, 'new');
    mkdirSync(folder);
    chownSync(folder, ALICE, GROUP);
    await file(`${HOME}/page`);
    add(`${HOME}/hidden`, { kind: 'character-device', deviceNumber: { major: 0, minor: 0 }, uid: 0, gid: 0 });
    const roots = [openRoot(folder, { overlay: true })];
    const outcome = await restore({ roots, owner: { ...RIGHTS, elsewhere: true } });
    expect(outcome.problems.first).to.deep.equal([]);
    for (const path of ['shadow', 'shadow/home', HOME, `${HOME}/page`]) expect(lstatSync(join(folder, path)), path).to.include(OWN);
    expect(readdirSync(join(folder, HOME))).to.deep.equal(['page']);
  });

  it('tells all this in a dry run, too', async () => {
    await file(`${HOME}/page`, { mode: 0o4755 });
    await file(`${HOME}/roots`, { uid: 0, gid: 0 });
    const outcome = await restore({ dryRun: true });
    expect(refused(outcome)).to.deep.equal([`${HOME}/roots`]);
    expect(lost(outcome).map(([path]) => path)).to.deep.equal([`${HOME}/page`]);
    expect(outcome).to.include({ entries: 5, written: 2, failed: 1 });
    expect(readdirSync(at(HOME))).to.deep.equal([]);
  });

  it('follows no link and keeps the other names of what it replaces (cases 3, 6)', async () => {
    const outside = join(work, 'outside');
    mkdirSync(outside);
    chmodSync(outside, 0o777);
    writeFileSync(join(outside, 'secret'), 'of the server');
    linkSync(join(outside, 'secret'), at(`${HOME}/page`));
    symlinkSync(outside, at(`${HOME}/folder`));
    await file(`${HOME}/page`);
    directory(`${HOME}/folder`);
    await file(`${HOME}/folder/x`);
    await restore();
    expect(readFileSync(join(outside, 'secret'), 'utf8')).to.equal('of the server');
    expect(lstatSync(join(outside, 'secret')).uid).to.equal(0);
    expect(readdirSync(outside)).to.deep.equal(['secret']);
  });
});
