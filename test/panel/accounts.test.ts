import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { findAccount, listAccounts } from '../../core/panel/accounts.ts';
import { liveTree } from '../../core/panel/live-mounts.ts';

describe('accounts', () => {
  let root: string;

  function makeAccount(name: string, siteinfo?: string): string {
    const folder = join(root, name);
    for (const part of ['shadow', 'info/current', 'fst']) mkdirSync(join(folder, part), { recursive: true });
    if (siteinfo !== undefined) writeFileSync(join(folder, 'info/current/siteinfo'), siteinfo);
    return folder;
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'accounts-'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('are the real directories named siteN, by number, without the links to them', () => {
    for (const name of ['site10', 'site2', 'site1']) makeAccount(name);
    symlinkSync('site2', join(root, 'example.com'));
    symlinkSync('site2', join(root, 'admin2'));
    symlinkSync('site2', join(root, 'site3'));
    mkdirSync(join(root, 'FILESYSTEMTEMPLATE'));
    for (const odd of ['site', 'site1x', 'site-1', 'site01', 'SITE4']) mkdirSync(join(root, odd));
    writeFileSync(join(root, 'site5'), '');
    expect(listAccounts(root).map((account) => account.name)).to.deep.equal(['site1', 'site2', 'site10']);
    expect(findAccount(root, 'site3')).to.equal(undefined);
    expect(findAccount(root, '../site2')).to.equal(undefined);
  });

  it('have the roots shadow and info, and never fst or raw database files', () => {
    const folder = makeAccount('site1');
    expect(findAccount(root, 'site1')).to.deep.include({
      roots: [
        { path: 'shadow', parent: folder },
        { path: 'info', parent: folder },
      ],
      excluded: ['shadow/var/lib/mysql', 'shadow/var/lib/pgsql'],
      missing: [],
    });
  });

  it('tell their domain and administrator', () => {
    makeAccount('site1', '; a comment\n[other]\ndomain = wrong\n[siteinfo]\n# x\ndomain = example.com\nadmin_user="bob"\ndomain = late\n');
    expect(findAccount(root, 'site1')).to.include({ domain: 'example.com', adminUser: 'bob' });
  });

  it('tell them in a service file without that section, too', () => {
    makeAccount('site1', '[DEFAULT]\ndomain = example.com\n[siteinfo]\nadmin_user = bob\n');
    makeAccount('site2', 'domain = example.com\nadmin_user = bob\n');
    for (const account of listAccounts(root)) expect(account).to.include({ domain: 'example.com', adminUser: 'bob' });
  });

  it('are accounts without readable service files, too', () => {
    makeAccount('site1');
    const hostile = makeAccount('site2');
    symlinkSync('/etc/hostname', join(hostile, 'info/current/siteinfo'));
    makeAccount('site3', `[siteinfo\n=\n\0\n[]\n${'x'.repeat(200_000)}\ndomain=far`);
    makeAccount('site4', '[siteinfo]\ndomain = None\nadmin_user =\n');
    execFileSync('mkfifo', [join(makeAccount('site5'), 'info/current/siteinfo')]);
    for (const account of listAccounts(root)) expect(account, account.name).to.include({ domain: null, adminUser: null });
  });

  it('take the older name of the folder of service files', () => {
    const folder = makeAccount('site1', '[siteinfo]\ndomain = example.com\n');
    renameSync(join(folder, 'info/current'), join(folder, 'info/cur'));
    expect(findAccount(root, 'site1')).to.include({ domain: 'example.com' });
  });

  it('are ghosts when only their folder is left', () => {
    mkdirSync(join(root, 'site1/fst'), { recursive: true });
    symlinkSync('/etc', join(root, 'site1/shadow'));
    expect(findAccount(root, 'site1')).to.deep.include({
      roots: [],
      missing: [
        { path: 'shadow', reason: 'is a link that leads to /etc, which is no place of an account' },
        { path: 'info', reason: 'is not there' },
      ],
    });
  });

  it('stay the same incarnation while they change, and are another one after they were deleted and made again', () => {
    const folder = makeAccount('site1', '[siteinfo]\ndomain = old.example\n');
    const before = findAccount(root, 'site1')?.incarnation;
    writeFileSync(join(folder, 'info/current/siteinfo'), '[siteinfo]\ndomain = new.example\n');
    rmSync(join(folder, 'shadow'), { recursive: true });
    mkdirSync(join(folder, 'shadow'));
    expect(findAccount(root, 'site1')?.incarnation).to.equal(before);
    rmSync(folder, { recursive: true });
    makeAccount('site1', '[siteinfo]\ndomain = old.example\n');
    expect(findAccount(root, 'site1')?.incarnation).to.not.equal(before);
  });

  it('are not simply none when their folder is not there', () => {
    expect(() => listAccounts(join(root, 'gone')))
      .to.throw(Failure)
      .with.property('code', 'unit_unknown');
  });

  it('are written to through fst while an OverlayFS is mounted there', () => {
    const folder = makeAccount('site1');
    mkdirSync(join(folder, 'lower'));
    mkdirSync(join(folder, 'work'));
    const fst = join(folder, 'fst');
    expect(liveTree(root, 'site1')).to.equal(undefined);
    // OverlayFS does not stack on every file system that a temporary folder can be on: the layers get one of their own.
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder]);
    try {
      for (const part of ['shadow', 'lower', 'work', 'fst']) mkdirSync(join(folder, part));
      const layers = `lowerdir=${folder}/lower,upperdir=${folder}/shadow,workdir=${folder}/work`;
      execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, fst]);
      try {
        expect(liveTree(root, 'site1')?.path).to.equal(fst);
        symlinkSync(root, `${root}-link`);
        expect(liveTree(`${root}-link`, 'site1')?.path).to.equal(fst);
        execFileSync('mount', ['-t', 'tmpfs', 'none', fst]);
        try {
          expect(liveTree(root, 'site1')).to.equal(undefined);
        } finally {
          execFileSync('umount', [fst]);
        }
      } finally {
        execFileSync('umount', [fst]);
        rmSync(`${root}-link`, { force: true });
      }
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});
