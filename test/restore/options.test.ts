import {
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
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { setModificationTime } from '../../core/linux/metadata.ts';
import { Staging } from '../../core/restore/target/staging.ts';
import { restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';
import { describeTree } from './tree-description.ts';

/** Everything about a directory that changes when something in it or about it is changed. */
function statusOf(path: string): unknown[] {
  const { mode, mtimeNs, ino } = lstatSync(path, { bigint: true });
  return [mode, mtimeNs, ino];
}

describe('what a restore is asked for', () => {
  let work: string;
  let source: string;
  let target: string;
  let sample: SampleSnapshot;

  beforeEach(async () => {
    work = mkdtempSync(join(tmpdir(), 'restore-options-'));
    source = join(work, 'source');
    target = join(work, 'target');
    mkdirSync(join(source, 'shadow/home/user'), { recursive: true });
    mkdirSync(join(source, 'info'));
    mkdirSync(target);
    for (const name of ['a', 'b', 'c']) writeFileSync(join(source, 'shadow/home/user', name), `content of ${name}`);
    writeFileSync(join(source, 'info/siteinfo'), 'domain = example.com');
    chmodSync(join(source, 'shadow/home'), 0o711);
    sample = new SampleSnapshot();
    await sample.addTree(source, '');
    sample.commit();
  });

  afterEach(() => {
    sample.close();
    rmSync(work, { recursive: true, force: true });
  });

  const read = (path: string) => readFileSync(join(target, path), 'utf8');
  const paths = () => Object.keys(describeTree(target));

  it('restores chosen paths only, with the directories above them as they were', async () => {
    const outcome = await restoreSample(sample, target, { paths: ['shadow/home/user/b', 'shadow/home/user', 'shadow/home/user/b'] });
    expect(outcome.status).to.equal('ok');
    expect(outcome.entries).to.equal(4);
    expect(paths()).to.deep.equal([
      'shadow',
      'shadow/home',
      'shadow/home/user',
      ...['a', 'b', 'c'].map((name) => `shadow/home/user/${name}`),
    ]);
    expect(describeTree(join(target, 'shadow'))).to.deep.equal(describeTree(join(source, 'shadow')));
  });

  it('leaves directories above a chosen path alone when they exist', async () => {
    mkdirSync(join(target, 'shadow/home/user'), { recursive: true });
    chmodSync(join(target, 'shadow/home'), 0o750);
    const before = statusOf(join(target, 'shadow/home'));
    await restoreSample(sample, target, { paths: ['shadow/home/user/b'], deletion: true });
    expect(statusOf(join(target, 'shadow/home'))).to.deep.equal(before);
    expect(readdirSync(join(target, 'shadow/home/user'))).to.deep.equal(['b']);
  });

  it('refuses paths that the snapshot does not have before it changes anything, naming all of them', async () => {
    const error = await restoreSample(sample, target, { paths: ['info', 'nowhere', 'shadow/ho'] }).catch((thrown) => thrown);
    expect(error.code).to.equal('path_unknown');
    expect(error.affected).to.deep.equal(['nowhere', 'shadow/ho']);
    expect(paths()).to.deep.equal([]);
  });

  it('makes directories that no entry describes, as for the unit system', async () => {
    const system = new SampleSnapshot();
    const content = Buffer.from('map');
    const [extent] = await system.store('p', [content]);
    system.add(sampleEntry('var/log/mailer_table', { size: 3, content: { digest: extent!.digest, extents: [extent!] } }));
    system.commit();
    try {
      const outcome = await restoreSample(system, target);
      expect(outcome.problems.first).to.deep.equal([]);
      expect(read('var/log/mailer_table')).to.equal('map');
      expect(lstatSync(join(target, 'var')).mode & 0o777).to.equal(0o755);
    } finally {
      system.close();
    }
  });

  it('overwrite=never writes only what is missing', async () => {
    mkdirSync(join(target, 'shadow/home/user'), { recursive: true });
    writeFileSync(join(target, 'shadow/home/user/a'), 'mine');
    const before = statusOf(join(target, 'shadow/home'));
    const outcome = await restoreSample(sample, target, { overwrite: 'never' });
    expect(outcome.status).to.equal('ok');
    expect(read('shadow/home/user/a')).to.equal('mine');
    expect(read('shadow/home/user/b')).to.equal('content of b');
    expect(statusOf(join(target, 'shadow/home'))).to.deep.equal(before);
    expect(outcome.written + outcome.skipped).to.equal(outcome.entries);
  });

  it('overwrite=never gives each name of a file content of the snapshot, also when the first name is taken', async () => {
    const linked = new SampleSnapshot();
    const content = Buffer.from('shared');
    const [extent] = await linked.store('p', [content]);
    const over = { size: 6, linkCount: 3, inode: 9n, content: { digest: extent!.digest, extents: [extent!] } };
    for (const name of ['x', 'y', 'z']) linked.add(sampleEntry(name, over));
    linked.commit();
    writeFileSync(join(target, 'x'), 'mine');
    try {
      await restoreSample(linked, target, { overwrite: 'never' });
    } finally {
      linked.close();
    }
    expect([read('x'), read('y'), read('z')]).to.deep.equal(['mine', 'shared', 'shared']);
    expect(lstatSync(join(target, 'y')).ino).to.equal(lstatSync(join(target, 'z')).ino);
  });

  it('overwrite=changed sees content that was edited with size and times set back', async () => {
    await restoreSample(sample, target);
    const file = join(target, 'shadow/home/user/a');
    const { mtimeNs } = lstatSync(file, { bigint: true });
    writeFileSync(file, 'CONTENT of a');
    const descriptor = openSync(file, 'r');
    setModificationTime(descriptor, mtimeNs);
    closeSync(descriptor);
    const outcome = await restoreSample(sample, target, { overwrite: 'changed' });
    expect(read('shadow/home/user/a')).to.equal('content of a');
    expect(outcome.unchanged).to.equal(3);
  });

  it('overwrite=changed gives a file with the right content its metadata back in place', async () => {
    await restoreSample(sample, target);
    const file = join(target, 'shadow/home/user/a');
    chmodSync(file, 0o777);
    const { ino } = lstatSync(file);
    const { written, unchanged } = await restoreSample(sample, target, { overwrite: 'changed' });
    expect(lstatSync(file).ino).to.equal(ino);
    expect({ written, unchanged }).to.deep.equal({ written: 5, unchanged: 3 });
    expect(describeTree(target)).to.deep.equal(describeTree(source));
  });

  it('with deletion leaves exactly the snapshot, and of what the backup leaves out everything', async () => {
    mkdirSync(join(target, 'shadow/var/lib/mysql/db'), { recursive: true });
    writeFileSync(join(target, 'shadow/var/lib/mysql/db/t.ibd'), 'live');
    mkdirSync(join(target, 'shadow/home/user/new/deep'), { recursive: true });
    writeFileSync(join(target, 'shadow/home/user/new/deep/er'), '');
    const outcome = await restoreSample(sample, target, { deletion: true, exclude: { paths: ['shadow/var/lib/mysql'], patterns: [] } });
    expect(outcome.problems.first).to.deep.equal([]);
    expect(outcome.deleted).to.equal(3);
    expect(read('shadow/var/lib/mysql/db/t.ibd')).to.equal('live');
    rmSync(join(target, 'shadow/var'), { recursive: true });
    // Done again so that the directory times are the snapshot's.
    await restoreSample(sample, target, { deletion: true });
    expect(describeTree(target)).to.deep.equal(describeTree(source));
  });

  it('reports a directory with entries where a file belongs; with deletion it goes, unless it holds what is left out', async () => {
    mkdirSync(join(target, 'shadow/home/user/a/b'), { recursive: true });
    mkdirSync(join(target, 'shadow/home/user/c'));
    const outcome = await restoreSample(sample, target);
    expect(outcome.status).to.equal('partial');
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['target_in_the_way', 'shadow/home/user/a']]);
    expect(read('shadow/home/user/c')).to.equal('content of c');
    const kept = await restoreSample(sample, target, { deletion: true, exclude: { paths: ['shadow/home/user/a/b'], patterns: [] } });
    expect(kept.problems.first.map(({ code }) => code)).to.deep.equal(['target_in_the_way']);
    expect(existsSync(join(target, 'shadow/home/user/a/b'))).to.equal(true);
    await restoreSample(sample, target, { deletion: true });
    expect(describeTree(target)).to.deep.equal(describeTree(source));
  });

  it('a dry run writes nothing and says what would be written, replaced, deleted and fetched', async () => {
    mkdirSync(join(target, 'shadow/home/user'), { recursive: true });
    writeFileSync(join(target, 'shadow/home/user/a'), 'mine');
    writeFileSync(join(target, 'shadow/home/user/extra'), '');
    const before = describeTree(target);
    const foreseen = await restoreSample(sample, target, { dryRun: true, deletion: true });
    expect(describeTree(target)).to.deep.equal(before);
    expect(foreseen.overwrites.first).to.deep.equal(['shadow/home/user/a']);
    expect(foreseen.deletions.first).to.deep.equal(['shadow/home/user/extra']);
    expect(foreseen.packs).to.deep.equal(['packs/a']);
    const done = await restoreSample(sample, target, { deletion: true });
    for (const key of ['entries', 'written', 'deleted', 'bytesWritten', 'bytesFetched'] as const)
      expect(foreseen[key], key).to.equal(done[key]);
    const again = await restoreSample(sample, target, { dryRun: true, overwrite: 'changed' });
    expect([again.bytesFetched, again.unchanged, again.overwrites.count]).to.deep.equal([0, 4, 0]);
  });

  it('removes what a killed restore left in its staging folder, and nothing because of its name', async () => {
    const folder = join(target, 'shadow/home/user');
    const hidden = '.apiscp-backup-0123456789abcdef';
    // In a folder of a tenant it is what the tenant made of it.
    mkdirSync(folder, { recursive: true });
    chownSync(folder, 1000, 1000);
    mkdirSync(join(folder, hidden), { mode: 0o700 });
    writeFileSync(join(folder, hidden, 'evidence'), "root's");
    writeFileSync(join(folder, '.apiscp-backup-00000000000000aa'), "root's");
    // Beside the roots, where only root makes names.
    for (const name of ['0000000000000001', '0000000000000002', '0000000000000003']) {
      mkdirSync(join(target, `.apiscp-backup-${name}`), { mode: 0o700 });
    }
    writeFileSync(join(target, '.apiscp-backup-0000000000000001/0-1'), 'half');
    mkdirSync(join(target, '.apiscp-backup-0000000000000001/0-2'));
    chmodSync(join(target, '.apiscp-backup-0000000000000002'), 0o755);
    mkdirSync(join(target, '.apiscp-backup-0000000000000003/0-1/0-2/not-ours'), { recursive: true });
    await restoreSample(sample, target, { paths: ['shadow/home/user/a'] });
    expect(readdirSync(folder)).to.deep.equal(['.apiscp-backup-00000000000000aa', hidden, 'a']);
    expect(readFileSync(join(folder, hidden, 'evidence'), 'utf8')).to.equal("root's");
    expect(readdirSync(target)).to.deep.equal(['.apiscp-backup-0000000000000002', '.apiscp-backup-0000000000000003', 'shadow']);
  });

  it('leaves alone the staging folder of a restore that goes on', async () => {
    const other = openSync(target, 'r');
    const staging = Staging.open(other);
    writeFileSync(`/proc/self/fd/${staging.descriptor}/0-1`, 'on its way');
    try {
      await restoreSample(sample, target, { deletion: true });
      expect(readFileSync(`/proc/self/fd/${staging.descriptor}/0-1`, 'utf8')).to.equal('on its way');
    } finally {
      staging.close(() => {});
      closeSync(other);
    }
    expect(readdirSync(target)).to.deep.equal(['info', 'shadow']);
  });

  it('stops between entries when it is cancelled, with every directory finished', async () => {
    const controller = new AbortController();
    const error = await restoreSample(sample, target, { signal: controller.signal, progress: () => controller.abort() }).catch(
      (thrown) => thrown,
    );
    expect(error.code).to.equal('cancelled');
    for (const path of paths()) expect(lstatSync(join(target, path)).mode, path).to.equal(lstatSync(join(source, path)).mode);
  });
});
