import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StatBuffer } from '../../core/linux/stat.ts';
import { EntryFlags } from '../../core/manifest/entry.ts';
import type { RestoreOrder } from '../../core/restore/restore.ts';
import { openRoot, restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';

const NOTHING = { paths: [], patterns: [] };

describe('what a restore with deletion may delete', () => {
  let work: string;
  let target: string;
  let sample: SampleSnapshot;
  let mounts: string[];

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-knowledge-'));
    target = join(work, 'target');
    mounts = [];
    mkdirSync(join(target, 'shadow/folder'), { recursive: true });
    writeFileSync(join(target, 'shadow/folder/newer'), 'newer');
    mkdirSync(join(work, 'server/sub'), { recursive: true });
    for (const name of ['precious', 'sub/f']) writeFileSync(join(work, 'server', name), 'of the server');
    sample = new SampleSnapshot();
  });

  afterEach(() => {
    for (const mount of mounts.reverse()) execFileSync('umount', [mount]);
    sample.close();
    rmSync(work, { recursive: true, force: true });
  });

  function bind(from: string, to: string): void {
    execFileSync('mount', ['--bind', from, to]);
    mounts.push(to);
  }

  function snapshotOf(folderFlags: number): void {
    sample.add(sampleEntry('shadow', { kind: 'directory', mode: 0o755 }));
    sample.add(sampleEntry('shadow/folder', { kind: 'directory', mode: 0o755, flags: folderFlags }));
    sample.add(sampleEntry('shadow/folder/known', {}));
    sample.commit();
  }

  /** A dry run and the real one after it, which have to say the same; gives what they say. */
  async function deleteIn(over: Partial<RestoreOrder> = {}) {
    const foreseen = await restoreSample(sample, target, { deletion: true, dryRun: true, ...over });
    const done = await restoreSample(sample, target, { deletion: true, ...over });
    const say = ({ deleted, status, problems }: typeof done) => ({
      ...{ deleted, status },
      problems: problems.first.map(({ code, path }) => `${code} ${path}`),
    });
    expect(say(foreseen)).to.deep.equal(say(done));
    expect(foreseen.deletions.first).to.deep.equal(done.deletions.first);
    return say(done);
  }

  const ofServer = () => readdirSync(join(work, 'server'), { recursive: true }).sort();

  it('is nothing in a directory of which the run did not see all, which is named', async () => {
    snapshotOf(EntryFlags.notAllSeen);
    expect(await deleteIn()).to.deep.equal({ deleted: 0, status: 'partial', problems: ['unseen_kept shadow/folder'] });
    expect(readdirSync(join(target, 'shadow/folder'))).to.deep.equal(['known', 'newer']);
    rmSync(join(target, 'shadow/folder/newer'));
    expect(await deleteIn()).to.deep.equal({ deleted: 0, status: 'ok', problems: [] });
  });

  it('is nothing that was left out when the snapshot was made, wherever it lies', async () => {
    snapshotOf(0);
    mkdirSync(join(target, 'shadow/extra/deep'), { recursive: true });
    for (const name of ['extra/deep/mail', 'extra/gone']) writeFileSync(join(target, 'shadow', name), '');
    const excludeThen = { paths: ['shadow/folder/newer'], patterns: ['mail'] };
    const said = await deleteIn({ excludeThen });
    expect(said).to.deep.equal({
      deleted: 1,
      status: 'partial',
      problems: ['unseen_kept shadow/folder/newer', 'unseen_kept shadow/extra/deep/mail'],
    });
    expect(readdirSync(join(target, 'shadow/extra'), { recursive: true }).sort()).to.deep.equal(['deep', 'deep/mail']);
    // What the rules of now leave out as well is left alone every time, and no news.
    expect(await deleteIn({ excludeThen, exclude: excludeThen })).to.deep.equal({ deleted: 0, status: 'ok', problems: [] });
    expect(await deleteIn({ excludeThen: NOTHING })).to.deep.include({ deleted: 4, status: 'ok' });
  });

  for (const kernel of ['tells mounts', 'is older than Linux 5.8']) {
    describe(`where the kernel ${kernel}`, () => {
      const words = Object.getOwnPropertyDescriptors(StatBuffer.prototype);

      before(() => {
        if (kernel === 'tells mounts') return;
        Object.defineProperty(StatBuffer.prototype, 'isMountRoot', { get: () => false, configurable: true });
        Object.defineProperty(StatBuffer.prototype, 'mountId', { get: () => undefined, configurable: true });
      });

      after(() => {
        for (const name of ['isMountRoot', 'mountId'] as const) Object.defineProperty(StatBuffer.prototype, name, words[name]);
      });

      it('is nothing of what is mounted on a folder that the snapshot has', async () => {
        snapshotOf(0);
        bind(join(work, 'server'), join(target, 'shadow/folder'));
        const { deleted, problems } = await deleteIn({ threads: false });
        expect(deleted).to.equal(0);
        expect(new Set(problems.map((problem) => problem.split(' ')[0]))).to.deep.equal(new Set(['mount_skipped']));
        expect(ofServer()).to.deep.equal(['precious', 'sub', 'sub/f']);
        expect(readFileSync(join(work, 'server/precious'), 'utf8')).to.equal('of the server');
      });

      it('is nothing of what is mounted in a folder that has to go, nor the folders above it', async () => {
        snapshotOf(0);
        mkdirSync(join(target, 'shadow/extra/a/mount'), { recursive: true });
        writeFileSync(join(target, 'shadow/extra/b'), '');
        bind(join(work, 'server'), join(target, 'shadow/extra/a/mount'));
        const said = await deleteIn();
        expect(said).to.deep.equal({ deleted: 2, status: 'partial', problems: ['mount_skipped shadow/extra/a/mount'] });
        expect(ofServer()).to.deep.equal(['precious', 'sub', 'sub/f']);
        expect(readdirSync(join(target, 'shadow/extra'))).to.deep.equal(['a']);
      });

      it('is nothing below a mount that a restore of the server may enter', async () => {
        snapshotOf(0);
        bind(join(work, 'server'), join(target, 'shadow/folder'));
        const said = async (dryRun: boolean) => {
          const outcome = await restoreSample(sample, target, {
            deletion: true,
            dryRun,
            roots: [openRoot(target, { crossMounts: true, isWritten: !dryRun })],
          });
          return [outcome.deleted, outcome.problems.first.map(({ code, path }) => `${code} ${path}`)];
        };
        const expected = [0, ['unseen_kept shadow/folder']];
        expect(await said(true)).to.deep.equal(expected);
        expect(await said(false)).to.deep.equal(expected);
        expect(ofServer()).to.deep.equal(['known', 'precious', 'sub', 'sub/f']);
      });
    });
  }

  it('is no folder whole or in part where a file belongs and something is mounted in it', async () => {
    sample.add(sampleEntry('shadow', { kind: 'directory', mode: 0o755 }));
    sample.add(sampleEntry('shadow/folder', {}));
    sample.commit();
    mkdirSync(join(target, 'shadow/folder/z'));
    bind(join(work, 'server'), join(target, 'shadow/folder/z'));
    const done = await restoreSample(sample, target, { deletion: true });
    expect(done.problems.first.map(({ code, path }) => `${code} ${path}`)).to.deep.equal(['target_in_the_way shadow/folder']);
    expect(readdirSync(join(target, 'shadow/folder'))).to.deep.equal(['newer', 'z']);
    expect(ofServer()).to.deep.equal(['precious', 'sub', 'sub/f']);
  });

  it('is no subvolume', async function () {
    const image = join(work, 'image');
    writeFileSync(image, '');
    truncateSync(image, 300 * 1024 * 1024);
    execFileSync('mkfs.btrfs', ['-q', image]);
    rmSync(target, { recursive: true });
    mkdirSync(target);
    try {
      execFileSync('mount', ['-o', 'loop', image, target], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    mounts.push(target);
    mkdirSync(join(target, 'shadow/folder'), { recursive: true });
    execFileSync('btrfs', ['subvolume', 'create', join(target, 'shadow/volume')], { stdio: 'ignore' });
    writeFileSync(join(target, 'shadow/volume/thesis'), 'a year of work');
    snapshotOf(0);
    expect(await deleteIn()).to.deep.equal({ deleted: 0, status: 'partial', problems: ['mount_skipped shadow/volume'] });
    expect(existsSync(join(target, 'shadow/volume/thesis'))).to.equal(true);
  });
});
