import { execFileSync, spawn } from 'node:child_process';
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { expect } from 'chai';
import koffi from 'koffi';
import { libc } from '../../../core/linux/libc.ts';
import { finishDirectory, makeDirectory } from '../../../core/restore/directories/directories.ts';
import { KnownDirectories } from '../../../core/restore/directories/known-directories.ts';
import type { Problem } from '../../../core/restore/rules.ts';
import { stagedName } from '../../../core/restore/target/names.ts';
import { Staging } from '../../../core/restore/target/staging.ts';
import { Target } from '../../../core/restore/target/target.ts';
import { takesUnnamedFiles } from '../../../core/restore/target/unnamed-files.ts';
import { SafeFile } from '../../../core/restore/write/safe-file.ts';
import { NOTHING_EXCLUDED } from '../nothing-excluded.ts';
import { openRoot, restoreSample } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

const EIO = 5;
const ALICE = { uid: 2001, gid: 2000 };
const BOB = { uid: 2002, gid: 2000 };
const RULES = { overwrite: 'always', removeDirectories: false, exclude: NOTHING_EXCLUDED, owner: undefined } as const;

/** Exchanges two names whenever both are there. */
const EXCHANGER = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
one, other = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
while True: libc.syscall(316, -100, one, -100, other, 2)
`;

describe('the folder in which entries are made', () => {
  let work: string;
  let site: string;
  let home: string;
  const stagings: Staging[] = [];

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-staging-'));
    site = join(work, 'site1');
    home = join(site, 'home');
    mkdirSync(home, { recursive: true });
    chownSync(home, ALICE.uid, ALICE.gid);
  });

  afterEach(() => {
    for (const staging of stagings.splice(0)) staging.close(() => {});
    rmSync(work, { recursive: true, force: true });
  });

  function open(directory: string, preferred?: string): string {
    const descriptors = [directory, preferred].map((path) => (path === undefined ? undefined : openSync(path, 'r')));
    const staging = Staging.open(descriptors[0] as number, descriptors[1]);
    for (const descriptor of descriptors) if (descriptor !== undefined) closeSync(descriptor);
    stagings.push(staging);
    return execFileSync('readlink', [`/proc/${process.pid}/fd/${staging.descriptor}`], { encoding: 'utf8' }).trim();
  }

  it("stands in the nearest folder that is root's alone, in the account's own if that is on the same mount", () => {
    mkdirSync(join(home, 'deep'));
    chownSync(join(home, 'deep'), ALICE.uid, ALICE.gid);
    expect(join(open(join(home, 'deep')), '..')).to.equal(site);
    expect(join(open(join(home, 'deep'), work), '..')).to.equal(work);
    chmodSync(site, 0o775);
    expect(join(open(home, site), '..')).to.equal(work);
    const other = join(site, 'other');
    mkdirSync(other);
    execFileSync('mount', ['-t', 'tmpfs', 'none', other]);
    try {
      expect(join(open(other, work), '..')).to.equal(other);
      chownSync(other, ALICE.uid, ALICE.gid);
      // No better one is on that mount.
      expect(join(open(other, work), '..')).to.equal(other);
      for (const staging of stagings.splice(0)) staging.close(() => {});
      expect(readdirSync(other)).to.deep.equal([]);
    } finally {
      execFileSync('umount', ['-l', other]);
    }
  });

  it('is named with its place when it cannot be removed', () => {
    const staging = open(home);
    mkdirSync(join(staging, 'folder/in a folder/that is not empty/either'), { recursive: true });
    const left: Problem[] = [];
    for (const each of stagings.splice(0)) each.close((problem) => left.push(problem));
    expect(left.map(({ code, path }) => [code, path])).to.deep.equal([['staging_left', staging]]);
    open(home);
    for (const each of stagings.splice(0)) each.close((problem) => left.push(problem));
    expect(left).to.have.length(1);
  });

  it('is closed, and inherits nothing that others gain by', () => {
    execFileSync('setfacl', ['-d', '-m', `u:${ALICE.uid}:rwx`, site]);
    const folder = open(home);
    expect(execFileSync('getfacl', ['-c', '-p', folder], { encoding: 'utf8' }).trim()).to.equal('user::rwx\ngroup::---\nother::---');
    expect(lstatSync(folder)).to.include({ uid: 0, mode: 0o040700 });
  });

  it("is where files, links and directories are made: nothing unfinished is seen in a tenant's folder", async () => {
    const sample = new SampleSnapshot();
    sample.add(sampleEntry('home', { kind: 'directory', mode: 0o755, ...ALICE }));
    for (let i = 0; i < 300; i++) {
      sample.add(sampleEntry(`home/f${i}`, ALICE));
      sample.add(sampleEntry(`home/l${i}`, { kind: 'symlink', linkTarget: 'x', size: 1, mode: 0o777 }));
      sample.add(sampleEntry(`home/d${i}`, { kind: 'directory', mode: 0o755, ...ALICE }));
    }
    sample.commit();
    const target = new Target([{ ...openRoot(site), staging: stagingIn(site) }]);
    const place = target.place('home/file');
    const file = new SafeFile(place, sampleEntry('home/file', { ...ALICE, mode: 0o644 }), RULES, () => {});
    expect(readdirSync(home)).to.deep.equal([]);
    file.finish(true);
    expect(readdirSync(home)).to.deep.equal(['file']);
    await restoreSample(sample, site);
    target.close();
    sample.close();
    expect(readdirSync(home)).to.have.length(901);
  });

  function stagingIn(path: string): number {
    const staging = Staging.open(openRoot(path).descriptor);
    stagings.push(staging);
    return staging.descriptor;
  }

  it('gets a new file that did not exist, closed to others until it is finished', () => {
    const staging = stagingIn(site);
    const target = new Target([{ ...openRoot(site), staging }]);
    const [, number] = stagedName().split('-');
    const next = (by: number) => `/proc/self/fd/${staging}/${threadId}-${Number(number) + by}`;
    writeFileSync(next(1), 'there already');
    const make = () => new SafeFile(target.place('home/file'), sampleEntry('home/file', ALICE), RULES, () => {});
    expect(make).to.throw().with.property('code', 'EEXIST');
    const umask = process.umask(0);
    const file = make();
    process.umask(umask);
    expect(lstatSync(next(2)).mode & 0o777).to.equal(0o600);
    file.abandon();
    expect(existsSync(next(2))).to.equal(false);
    target.close();
  });

  it('is not needed for files where they can be made without a name: a new one is first seen when it is finished', () => {
    const staging = stagingIn(site);
    const target = new Target([{ ...openRoot(site), staging, unnamedFiles: takesUnnamedFiles(staging) }]);
    execFileSync('setfacl', ['-d', '-m', `u:${ALICE.uid}:rwx`, home]);
    for (const content of ['first', 'again']) {
      const entry = sampleEntry('home/file', { uid: 0, gid: 0, mode: 0o660, size: 5 });
      const file = new SafeFile(target.place('home/file'), entry, RULES, () => {});
      file.append(Buffer.from(content));
      expect(readdirSync(`/proc/self/fd/${staging}/`)).to.deep.equal([]);
      expect(existsSync(join(home, 'file'))).to.equal(content === 'again');
      file.finish(true);
      expect(readFileSync(join(home, 'file'), 'utf8')).to.equal(content);
      expect(lstatSync(join(home, 'file'))).to.include({ uid: 0, gid: 0, mode: 0o100660 });
      expect(execFileSync('getfacl', ['-c', '-p', join(home, 'file')], { encoding: 'utf8' })).not.to.include('user:2001');
    }
    expect(readdirSync(`/proc/self/fd/${staging}/`)).to.deep.equal([]);
    target.close();
  });

  it("puts no file into its place that keeps an access list of a tenant's directory", () => {
    const staging = stagingIn(site);
    const target = new Target([{ ...openRoot(site), staging, unnamedFiles: true }]);
    execFileSync('setfacl', ['-d', '-m', `u:${ALICE.uid}:rwx`, home]);
    const { fremovexattr } = libc;
    const file = new SafeFile(target.place('home/file'), sampleEntry('home/file', { uid: 0, gid: 0, mode: 0o660 }), RULES, () => {});
    Object.assign(libc, {
      fremovexattr: () => {
        koffi.errno(EIO);
        return -1;
      },
    });
    try {
      expect(() => file.finish(true))
        .to.throw()
        .with.property('code', 'EIO');
    } finally {
      Object.assign(libc, { fremovexattr });
    }
    expect(readdirSync(home)).to.deep.equal([]);
    target.close();
  });

  it("gets a new directory, which is its owner's and closed to others until it is finished, and then just that one", () => {
    const root = { ...openRoot(site), staging: stagingIn(site) };
    const target = new Target([root]);
    const entry = sampleEntry('home/new', { kind: 'directory', mode: 0o755, ...ALICE });
    const made = makeDirectory(target, entry.path, entry, RULES, () => {});
    expect(lstatSync(join(home, 'new'))).to.include({ ...ALICE, mode: 0o040700 });
    renameSync(join(home, 'new'), join(home, 'away'));
    mkdirSync(join(home, 'new'), { mode: 0o700 });
    const finish = () =>
      finishDirectory({ target, place: target.place(entry.path), entry, directory: made }, { rules: RULES, report: () => {} });
    expect(finish).to.throw().with.property('code', 'replaced');
    expect(lstatSync(join(home, 'new'))).to.include({ uid: 0, mode: 0o040700 });
    rmSync(join(home, 'new'), { recursive: true });
    renameSync(join(home, 'away'), join(home, 'new'));
    finish();
    expect(lstatSync(join(home, 'new'))).to.include({ ...ALICE, mode: 0o040755 });
    target.close();
    closeSync(root.descriptor);
  });

  it('has a folder for each project that a directory gives to what is new in it, without which nothing can be renamed to there', async () => {
    const disk = join(work, 'disk');
    mkdirSync(disk);
    execFileSync('truncate', ['-s', '320M', join(work, 'image')]);
    execFileSync('mkfs.xfs', ['-q', join(work, 'image')]);
    execFileSync('mount', ['-o', 'loop', join(work, 'image'), disk]);
    const sample = new SampleSnapshot();
    try {
      mkdirSync(join(disk, 'counted'));
      execFileSync('chattr', ['-p', '5', '+P', join(disk, 'counted')]);
      const inherit = { inodeFlags: 0x20000000, projectId: 5 };
      sample.add(sampleEntry('counted', { kind: 'directory', mode: 0o755, ...inherit }));
      sample.add(sampleEntry('counted/file', {}));
      sample.add(sampleEntry('counted/folder', { kind: 'directory', mode: 0o755, ...inherit }));
      sample.add(sampleEntry('counted/folder/fifo', { kind: 'fifo' }));
      sample.add(sampleEntry('counted/link', { kind: 'symlink', linkTarget: 'x', size: 1, mode: 0o777 }));
      sample.commit();
      const outcome = await restoreSample(sample, disk);
      expect(outcome.problems.first).to.deep.equal([]);
      expect(readdirSync(disk)).to.deep.equal(['counted']);
      expect(readdirSync(join(disk, 'counted/folder'))).to.deep.equal(['fifo']);
    } finally {
      sample.close();
      execFileSync('umount', [disk]);
    }
  });

  it('finds out where owners are forced: contents are written, and that is said once', async () => {
    const [real, seen] = [join(work, 'real'), join(work, 'seen')];
    for (const folder of [real, seen]) mkdirSync(folder);
    execFileSync('bindfs', ['--force-user=1000', '--force-group=1000', '--chown-deny', '--chgrp-deny', real, seen]);
    const sample = new SampleSnapshot();
    try {
      sample.add(sampleEntry('folder', { kind: 'directory', mode: 0o755, ...ALICE }));
      for (let i = 0; i < 20; i++) sample.add(sampleEntry(`folder/f${i}`, ALICE));
      sample.commit();
      for (let round = 0; round < 2; round++) {
        const outcome = await restoreSample(sample, seen, { accountUsers: new Set([ALICE.uid]) });
        expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['attribute_refused', '']]);
        expect(outcome).to.include({ written: 21, failed: 0 });
      }
      expect(readdirSync(seen)).to.deep.equal(['folder']);
      expect(readdirSync(join(seen, 'folder'))).to.have.length(20);
    } finally {
      sample.close();
      execFileSync('umount', [seen]);
    }
  });

  it('helps no tenant to a directory of somebody else: a kept one is named and stays whose it is', async () => {
    const sample = new SampleSnapshot();
    for (const name of ['own', 'users', 'roots']) sample.add(sampleEntry(name, { kind: 'directory', mode: 0o755, ...ALICE }));
    sample.commit();
    for (const [name, uid] of [
      ['own', ALICE.uid],
      ['users', BOB.uid],
      ['roots', 0],
    ] as const) {
      mkdirSync(join(site, name), { mode: 0o700 });
      chownSync(join(site, name), uid, ALICE.gid);
    }
    const outcome = await restoreSample(sample, site, { accountUsers: new Set([ALICE.uid, BOB.uid]) });
    sample.close();
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['replaced', 'roots']]);
    expect(lstatSync(join(site, 'roots'))).to.include({ uid: 0, mode: 0o040700 });
    for (const name of ['own', 'users']) expect(lstatSync(join(site, name))).to.include({ ...ALICE, mode: 0o040755 });
  });

  it('gives away no private folder of root that is exchanged for a directory made in its place, as through a mounted overlay', () => {
    const [secret, made] = [join(home, 'secret'), join(home, 'made')];
    mkdirSync(secret, { mode: 0o700 });
    const { ino } = lstatSync(secret);
    const exchanger = spawn('/usr/bin/python3', ['-c', EXCHANGER, secret, made], { stdio: 'ignore' });
    try {
      for (let round = 0; round < 1000; round++) {
        const root = openRoot(site);
        const target = new Target([{ ...root, overlay: true }]);
        makeDirectory(target, 'home/made', ALICE, RULES, () => {});
        target.close();
        closeSync(root.descriptor);
        // The exchange goes on until one of the two names is gone.
        const [left, right] = [join(home, 'left'), join(home, 'right')];
        renameSync(made, right);
        renameSync(secret, left);
        const [roots, other] = lstatSync(left).ino === ino ? [left, right] : [right, left];
        expect(lstatSync(roots).uid, `round ${round}`).to.equal(0);
        rmSync(other, { recursive: true });
        renameSync(roots, secret);
      }
    } finally {
      exchanger.kill('SIGKILL');
    }
  });

  it('gives back a directory of root that stood here when the snapshot was made, or that is open to all, and no other', async () => {
    const names = ['carelessly given to root', 'made anew by root', 'private, with a number given again', 'private'];
    for (const name of names) mkdirSync(join(site, name), { mode: name.startsWith('made anew') ? 0o755 : 0o700 });
    const numbers = names.map((name) => lstatSync(join(site, name), { bigint: true }));
    const sample = new SampleSnapshot();
    names.forEach((name, index) => {
      const { ino, ctimeNs, birthtimeNs } = numbers[index] as BigIntStats;
      const times =
        index === 0 ? { inode: ino, ctime: ctimeNs } : index === 2 ? { inode: ino, ctime: birthtimeNs - 1n } : { ctime: ctimeNs };
      sample.add(sampleEntry(name, { kind: 'directory', mode: 0o700, ...ALICE, ...times }));
    });
    sample.commit();
    for (const dryRun of [true, false]) {
      const outcome = await restoreSample(sample, site, { accountUsers: new Set([ALICE.uid]), dryRun });
      const named = outcome.problems.first.map(({ code, path }) => [code, path]);
      expect(named).to.have.deep.members(names.slice(2).map((name) => ['replaced', name]));
      expect(outcome).to.include({ written: 2, failed: 2 });
    }
    sample.close();
    expect(names.map((name) => lstatSync(join(site, name)).uid)).to.deep.equal([ALICE.uid, ALICE.uid, 0, 0]);
  });

  it('leaves no trace in the time of the folder that it stood in, but what else changed that stays', () => {
    const time = () => lstatSync(site, { bigint: true }).mtimeNs;
    utimesSync(site, 1_600_000_000, 1_600_000_000);
    const before = time();
    open(site);
    expect(time()).not.to.equal(before);
    stagings.splice(0)[0]?.close(() => {});
    expect(time()).to.equal(before);
    open(site);
    const since = time();
    utimesSync(site, 1_700_000_000, 1_700_000_000);
    const changed = time();
    expect(changed).not.to.equal(since);
    stagings.splice(0)[0]?.close(() => {});
    expect(time()).to.equal(changed);
  });

  it('does not let a restore into a directory of root that it had not met, where a tenant could put one', () => {
    const known = new KnownDirectories(2);
    const root = openRoot(site);
    const target = new Target([root], undefined, known);
    mkdirSync(join(home, 'evidence'), { mode: 0o700 });
    const enter = () => target.directory('home/evidence');
    expect(enter).not.to.throw();
    target.forget();
    known.seal();
    expect(enter).to.throw().with.property('code', 'replaced');
    target.forget();
    chownSync(home, 0, 0);
    expect(enter).not.to.throw();
    target.close();
    closeSync(root.descriptor);
  });
});
