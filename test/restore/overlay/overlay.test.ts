import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { closeDescriptor, openHandleAt, openTrustedDirectory } from '../../../core/linux/files.ts';
import { readXattrs, writeXattr } from '../../../core/linux/xattrs.ts';
import type { Outcome } from '../../../core/restore/outcome.ts';
import type { RestoreOrder } from '../../../core/restore/restore.ts';
import { openRoot, restoreSample } from '../run-restore.ts';
import { SampleSnapshot } from '../sample-snapshot.ts';
import { describeTree } from '../tree-description.ts';

/** An account as ApisCP lays it out: `fst` is the view of `shadow` over the panel's template. */
class Account {
  readonly site: string;
  readonly template: string;
  #mounted = false;

  constructor(readonlyRoot: string) {
    this.site = join(readonlyRoot, 'site1');
    this.template = join(readonlyRoot, 'template');
    for (const folder of ['shadow', 'info', 'fst', 'work']) mkdirSync(join(this.site, folder), { recursive: true });
    for (const folder of ['etc/conf.d', 'usr/share', 'usr/lib']) mkdirSync(join(this.template, folder), { recursive: true });
    for (const file of ['etc/hosts', 'etc/php.ini', 'etc/conf.d/one', 'etc/conf.d/two', 'usr/share/a', 'usr/share/b', 'usr/lib/c']) {
      writeFileSync(join(this.template, file), `template ${file}`);
    }
  }

  mount(): void {
    const options = `lowerdir=${this.template},upperdir=${join(this.site, 'shadow')},workdir=${join(this.site, 'work')}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, join(this.site, 'fst')]);
    this.#mounted = true;
  }

  unmount(): void {
    if (this.#mounted) execFileSync('umount', [join(this.site, 'fst')]);
    this.#mounted = false;
  }

  path(name: string): string {
    return join(this.site, 'fst', name);
  }

  async restore(sample: SampleSnapshot, over: Partial<RestoreOrder> = {}): Promise<Outcome> {
    const account = openRoot(this.site);
    const live = openRoot(join(this.site, 'fst'), { at: 'shadow', overlay: true });
    const lower = openRoot(this.template, { at: 'shadow' });
    const undo = { shadow: join(this.site, 'shadow'), reload: 'reload site1' };
    try {
      const layers = { upper: [account], lower: [lower], undo };
      return await restoreSample(sample, this.site, { ...over, roots: [account, live], layers });
    } finally {
      closeSync(lower.descriptor);
    }
  }
}

function overlayAttributes(path: string): string[] {
  const directory = openTrustedDirectory(path);
  try {
    return readXattrs(directory).map(({ name }) => name);
  } finally {
    closeDescriptor(directory);
  }
}

const describeNames = (root: string): string[] => Object.keys(describeTree(root));

/** The kernel links all whiteouts of a mount to one more in its work directory. */
function withoutLinkCounts(root: string): unknown[] {
  return Object.entries(describeTree(root)).map(([path, entry]) => ({ ...(entry as object), path, linkCount: undefined }));
}

describe('restoring an account that OverlayFS shows', () => {
  let work: string;
  let account: Account;
  let sample: SampleSnapshot;
  let merged: Record<string, unknown>;

  beforeEach(async () => {
    work = mkdtempSync(join(tmpdir(), 'restore-overlay-'));
    account = new Account(work);
    account.mount();
    // All by the kernel: a changed template file, a whiteout, an opaque directory, own files.
    writeFileSync(account.path('etc/hosts'), 'changed by the account');
    rmSync(account.path('etc/php.ini'));
    rmSync(account.path('usr/share'), { recursive: true });
    mkdirSync(account.path('usr/share'));
    writeFileSync(account.path('usr/share/own'), 'own');
    mkdirSync(account.path('home/user'), { recursive: true });
    writeFileSync(account.path('home/user/mail'), 'mail');
    writeFileSync(join(account.site, 'info/siteinfo'), 'domain');
    merged = describeTree(join(account.site, 'fst'));
    sample = new SampleSnapshot();
    await sample.addTree(join(account.site, 'shadow'), 'shadow', 'packs/shadow');
    await sample.addTree(join(account.site, 'info'), 'info', 'packs/info');
    const top = new SampleSnapshot();
    top.close();
    for (const name of ['shadow', 'info']) sample.add({ ...rootEntry(join(account.site, name)), path: name });
    sample.commit();
  });

  afterEach(() => {
    account.unmount();
    sample.close();
    rmSync(work, { recursive: true, force: true });
  });

  function rootEntry(path: string) {
    const status = lstatSync(path, { bigint: true });
    return {
      ...{
        kind: 'directory' as const,
        mode: Number(status.mode & 0o7777n),
        uid: 0,
        gid: 0,
        size: 0,
        mtime: status.mtimeNs,
        ctime: status.ctimeNs,
      },
      ...{ device: 0n, inode: status.ino, linkCount: 2, xattrs: [], inodeFlags: 0, flags: 0 },
    };
  }

  it('gives the merged view back through the mount, whiteouts and opaque directories as what they mean', async () => {
    writeFileSync(account.path('etc/hosts'), 'damaged');
    writeFileSync(account.path('etc/php.ini'), 'here again');
    rmSync(account.path('home'), { recursive: true });
    writeFileSync(account.path('usr/share/own'), 'damaged, too');
    const outcome = await account.restore(sample);
    expect(outcome.problems.first).to.deep.equal([]);
    expect(describeTree(join(account.site, 'fst'))).to.deep.equal(merged);
    // The kernel's own view of it after mounting anew is the same.
    account.unmount();
    account.mount();
    expect(describeTree(join(account.site, 'fst'))).to.deep.equal(merged);
  });

  it('empties a directory that is opaque in the snapshot and shows the template now', async () => {
    account.unmount();
    rmSync(join(account.site, 'shadow/usr/share'), { recursive: true });
    account.mount();
    expect(readdirSync(account.path('usr/share'))).to.deep.equal(['a', 'b']);
    const outcome = await account.restore(sample);
    expect(outcome.problems.first).to.deep.equal([]);
    expect(readdirSync(account.path('usr/share'))).to.deep.equal(['own']);
    expect(readdirSync(account.path('usr/lib'))).to.deep.equal(['c']);
  });

  it('with deletion removes what the account added since, and never the template', async () => {
    writeFileSync(account.path('home/user/new'), '');
    writeFileSync(account.path('etc/conf.d/three'), '');
    mkdirSync(account.path('usr/lib/d'));
    writeFileSync(account.path('usr/lib/d/e'), '');
    const outcome = await account.restore(sample, { deletion: true });
    expect(outcome.problems.first).to.deep.equal([]);
    expect(describeNames(join(account.site, 'fst'))).to.deep.equal(Object.keys(merged));
    expect(outcome.deleted).to.equal(4);
  });

  it('leaves and names a changed copy of a template file, whose deletion would hide the template', async () => {
    writeFileSync(account.path('usr/lib/c'), 'changed after the snapshot');
    const outcome = await account.restore(sample, { deletion: true });
    expect(outcome.status).to.equal('partial');
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['unsupported', 'shadow/usr/lib/c']]);
    expect(existsSync(account.path('usr/lib/c'))).to.equal(true);
  });

  for (const overwrite of ['always', 'changed'] as const) {
    it(`lets a newer directory in the place of a whiteout go only with deletion, counted and foreseen, overwrite: ${overwrite}`, async () => {
      await account.restore(sample);
      mkdirSync(account.path('etc/php.ini'));
      writeFileSync(account.path('etc/php.ini/newer'), 'photos');
      const say = ({ deleted, failed, written, overwrites, deletions, problems }: Outcome) => ({
        ...{ deleted, failed, written, overwrites: overwrites.first.includes('shadow/etc/php.ini'), deletions: deletions.first },
        problems: problems.first.map(({ code, path }) => `${code} ${path}`),
      });
      const foreseen = say(await account.restore(sample, { overwrite, dryRun: true }));
      const done = say(await account.restore(sample, { overwrite }));
      expect(done).to.include({ failed: 1, deleted: 0 });
      expect(done.problems).to.deep.equal(['target_in_the_way shadow/etc/php.ini']);
      expect({ ...foreseen, overwrites: false }).to.deep.equal(done);
      expect(readFileSync(account.path('etc/php.ini/newer'), 'utf8')).to.equal('photos');
      const expected = say(await account.restore(sample, { overwrite, deletion: true, dryRun: true }));
      expect(expected).to.deep.include({ failed: 0, deleted: 1, overwrites: true, deletions: ['shadow/etc/php.ini/newer'], problems: [] });
      const gone = await account.restore(sample, { overwrite, deletion: true });
      expect([gone.written, gone.deleted, gone.status]).to.deep.equal([expected.written, 1, 'ok']);
      expect(existsSync(account.path('etc/php.ini'))).to.equal(false);
      expect((await account.restore(sample, { overwrite: 'never', dryRun: true })).deleted).to.equal(0);
    });
  }

  it('leaves what is newer than a whiteout with overwrite=never', async () => {
    writeFileSync(account.path('etc/php.ini'), 'mine');
    const outcome = await account.restore(sample, { overwrite: 'never' });
    expect(outcome.status).to.equal('ok');
    expect(readFileSync(account.path('etc/php.ini'), 'utf8')).to.equal('mine');
  });

  for (const deletion of [true, false]) {
    it(`names what hides the template since the snapshot, and the commands that undo it; deletion: ${deletion}`, async () => {
      const snapshot = new SampleSnapshot();
      try {
        await snapshot.addTree(join(account.site, 'shadow'), 'shadow');
        snapshot.add({ ...rootEntry(join(account.site, 'shadow')), path: 'shadow' });
        snapshot.commit();
        rmSync(account.path('etc/conf.d/one'));
        rmSync(account.path('usr/lib'), { recursive: true });
        mkdirSync(account.path('etc/own'));
        mkdirSync(account.path('usr/lib'));
        rmSync(account.path('home'), { recursive: true });
        const say = ({ status, problems }: Outcome) => ({ status, problems: problems.first.map(({ code, path }) => `${code} ${path}`) });
        const foreseen = await account.restore(snapshot, { deletion, dryRun: true });
        const done = await account.restore(snapshot, { deletion });
        expect(say(foreseen)).to.deep.equal(say(done));
        // Without deletion what the account made in its place stays, as anything newer does.
        expect(say(done).problems).to.deep.equal(deletion ? ['still_hidden shadow/usr/lib'] : []);
      } finally {
        snapshot.close();
      }
    });
  }

  it('undoes a whiteout since the snapshot by no more than the two commands that it tells', async () => {
    account.unmount();
    mkdirSync(join(account.site, 'shadow/usr/lib'), { recursive: true });
    account.mount();
    const snapshot = new SampleSnapshot();
    try {
      for (const path of ['shadow', 'shadow/usr', 'shadow/usr/lib']) snapshot.add({ ...rootEntry(join(account.site, path)), path });
      snapshot.commit();
      rmSync(account.path('usr/lib/c'));
      mkdirSync(account.path('usr/lib/own'));
      const said = async (dryRun: boolean) => {
        const { status, problems } = await account.restore(snapshot, { paths: ['shadow/usr/lib'], dryRun });
        return [status, ...problems.first.map(({ code, path, message }) => `${code} ${path}: ${message}`)];
      };
      const path = join(account.site, 'shadow/usr/lib/c');
      const expected = [
        'partial',
        `still_hidden shadow/usr/lib/c: this was deleted after the snapshot, which hides what the layers below have: rm '${path}' && reload site1`,
      ];
      expect(await said(true)).to.deep.equal(expected);
      expect(await said(false)).to.deep.equal(expected);
      execFileSync('rm', [path]);
      account.unmount();
      account.mount();
      expect(readFileSync(account.path('usr/lib/c'), 'utf8')).to.equal('template usr/lib/c');
      expect(await said(false)).to.deep.equal(['ok']);
      // An own file of which the layers below have nothing hides nothing.
      writeFileSync(account.path('usr/lib/own/x'), '');
      rmSync(account.path('usr/lib/own'), { recursive: true });
      expect(await said(false)).to.deep.equal(['ok']);
      // The whole directory made anew is opaque.
      rmSync(account.path('usr/lib'), { recursive: true });
      mkdirSync(account.path('usr/lib'));
      const opaque = (await said(false)).map((line) => line.slice(0, 27));
      expect(opaque).to.deep.equal(['partial', 'still_hidden shadow/usr/lib']);
    } finally {
      snapshot.close();
    }
  });

  it('takes an upper layer that cannot be looked at for unknown, not for empty', async () => {
    const layers = { upper: [openRoot(account.site)], lower: undefined, undo: undefined };
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(account.site, 'shadow/home')]);
    try {
      writeFileSync(account.path('home/user/new'), '');
      const live = openRoot(join(account.site, 'fst'), { at: 'shadow', overlay: true });
      const outcome = await restoreSample(sample, account.site, { roots: [openRoot(account.site), live], layers, deletion: true });
      expect(outcome.problems.first.map(({ code, path }) => `${code} ${path}`)).to.include('mount_skipped shadow/home');
      expect(existsSync(account.path('home/user/new'))).to.equal(true);
    } finally {
      execFileSync('umount', [join(account.site, 'shadow/home')]);
      closeSync(layers.upper[0]!.descriptor);
    }
  });

  it('says when a directory that it has to make stays opaque', async () => {
    rmSync(account.path('etc'), { recursive: true });
    const outcome = await account.restore(sample);
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['still_hidden', 'shadow/etc']]);
    expect(readFileSync(account.path('etc/hosts'), 'utf8')).to.equal('changed by the account');
  });

  it('without the mount gives the upper layer back exactly', async () => {
    account.unmount();
    const before = withoutLinkCounts(join(account.site, 'shadow'));
    renameSync(join(account.site, 'shadow'), join(account.site, 'shadow.old'));
    const outcome = await restoreSample(sample, account.site);
    expect(outcome.problems.first).to.deep.equal([]);
    expect(withoutLinkCounts(join(account.site, 'shadow'))).to.deep.equal(before);
    account.mount();
    expect(describeTree(join(account.site, 'fst'))).to.deep.equal(merged);
  });

  it('drops what names inodes of another device, and keeps it on the same', async () => {
    account.unmount();
    const foreign = new SampleSnapshot();
    const handle = openTrustedDirectory(join(account.site, 'shadow'));
    const etc = openHandleAt(handle, 'etc');
    for (const name of ['origin', 'nlink', 'upper', 'uuid']) writeXattr(etc, `trusted.overlay.${name}`, Buffer.from('x'));
    writeXattr(etc, 'trusted.overlay.opaque', Buffer.from('y'));
    closeDescriptor(etc);
    closeDescriptor(handle);
    const shared = [
      'trusted.overlay.nlink',
      'trusted.overlay.opaque',
      'trusted.overlay.origin',
      'trusted.overlay.upper',
      'trusted.overlay.uuid',
    ];
    await foreign.addTree(join(account.site, 'shadow'), '');
    foreign.commit();
    const disk = join(work, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', disk]);
    try {
      const same = join(work, 'same');
      mkdirSync(same);
      await restoreSample(foreign, same);
      await restoreSample(foreign, disk);
      expect(overlayAttributes(join(same, 'etc')).filter((name) => shared.includes(name))).to.deep.equal(shared);
      expect(overlayAttributes(join(disk, 'etc')).filter((name) => shared.includes(name))).to.deep.equal(['trusted.overlay.opaque']);
    } finally {
      execFileSync('umount', [disk]);
      foreign.close();
    }
  });

  it('reports attributes that a mounted overlay cannot take', async () => {
    account.unmount();
    const changed = new SampleSnapshot();
    const shadow = openTrustedDirectory(join(account.site, 'shadow'));
    const home = openHandleAt(shadow, 'home');
    writeXattr(home, 'trusted.overlay.redirect', Buffer.from('elsewhere'));
    closeDescriptor(home);
    closeDescriptor(shadow);
    await changed.addTree(join(account.site, 'shadow'), 'shadow');
    changed.commit();
    account.mount();
    try {
      const outcome = await account.restore(changed);
      expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['attribute_refused', 'shadow/home']]);
    } finally {
      changed.close();
    }
  });

  it('writes nothing into what is mounted inside an account', async () => {
    const inside = account.path('home');
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', inside]);
    try {
      const outcome = await account.restore(sample, { deletion: true });
      expect(new Set(outcome.problems.first.map(({ code }) => code))).to.deep.equal(new Set(['mount_skipped']));
      expect(readdirSync(inside)).to.deep.equal([]);
    } finally {
      execFileSync('umount', [inside]);
    }
  });
});
