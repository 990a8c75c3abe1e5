import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { closeDescriptor, makeNodeAt, openHandleAt, openTrustedDirectory } from '../../core/linux/files.ts';
import { S_IFCHR, S_IFIFO, S_IFSOCK } from '../../core/linux/flags.ts';
import { setMode, setModificationTime, setOwner } from '../../core/linux/metadata.ts';
import { writeXattr } from '../../core/linux/xattrs.ts';
import { restoreSample } from './run-restore.ts';
import { SampleSnapshot } from './sample-snapshot.ts';
import { describeTree } from './tree-description.ts';

function change(directory: string, name: string, action: (handle: number) => void): void {
  const dir = openTrustedDirectory(directory);
  const handle = openHandleAt(dir, name);
  action(handle);
  closeDescriptor(handle);
  closeDescriptor(dir);
}

/** One of everything that an account can hold. */
function buildTree(root: string): void {
  mkdirSync(join(root, 'www/deep/er'), { recursive: true });
  mkdirSync(join(root, 'shut'));
  for (let i = 0; i < 300; i++) writeFileSync(join(root, `www/file${i}`), `content ${i} `.repeat(i * 7));
  writeFileSync(join(root, 'www/empty'), '');
  writeFileSync(join(root, 'www/large'), Buffer.alloc(700_000, 'abcdefg'));
  writeFileSync(Buffer.from(`${root}/bad\xff\xfename\n`, 'latin1'), 'x');
  symlinkSync('../nowhere', join(root, 'www/link'));
  linkSync(join(root, 'www/file7'), join(root, 'www/deep/second name'));
  linkSync(join(root, 'www/link'), join(root, 'www/deep/second link'));
  writeFileSync(join(root, 'sparse'), '');
  truncateSync(join(root, 'sparse'), 3_000_000);
  const sparse = openSync(join(root, 'sparse'), 'r+');
  writeSync(sparse, 'in the middle', 1_000_000);
  closeSync(sparse);
  writeFileSync(join(root, 'hole'), '');
  truncateSync(join(root, 'hole'), 100_000);
  const dir = openTrustedDirectory(root);
  makeNodeAt(dir, 'fifo', S_IFIFO | 0o640);
  makeNodeAt(dir, 'socket', S_IFSOCK | 0o600);
  makeNodeAt(dir, 'whiteout', S_IFCHR | 0, 0, 0);
  makeNodeAt(dir, 'null', S_IFCHR | 0o666, 1, 3);
  closeDescriptor(dir);
  change(root, 'whiteout', (handle) => setMode(handle, 0));
  change(root, 'fifo', (handle) => setOwner(handle, 1234, 5678));
  change(join(root, 'www'), 'link', (handle) => {
    setOwner(handle, 4_000_000_000, 17);
    writeXattr(handle, 'trusted.of-a-link', Buffer.from([0, 1, 0]));
    setModificationTime(handle, -1_000_000_001n);
  });
  change(join(root, 'www'), 'file9', (handle) => {
    setOwner(handle, 1001, 1002);
    setMode(handle, 0o6755);
    writeXattr(handle, 'user.empty', Buffer.alloc(0));
    writeXattr(handle, 'user.odd=na%me\xff', Buffer.from('v'));
    // cap_net_bind_service+ep
    writeXattr(handle, 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
    setModificationTime(handle, 5_000_000_000_123_456_789n);
  });
  execFileSync('setfacl', ['-m', 'u:1234:rwx,g:99:r--', join(root, 'www/file10')]);
  execFileSync('setfacl', ['-d', '-m', 'u:1234:rwx,o::-', join(root, 'www')]);
  execFileSync('setfacl', ['-m', 'u:77:r-x', join(root, 'www/deep')]);
  writeFileSync(join(root, 'www/deep/with inherited acl'), 'i');
  change(root, 'www', (handle) => setMode(handle, 0o2775));
  execFileSync('chattr', ['+iAd', join(root, 'www/file11')]);
  execFileSync('chattr', ['+a', join(root, 'www/deep')]);
  change(root, 'shut', (handle) => setMode(handle, 0));
  change(root, 'www', (handle) => setModificationTime(handle, 1_111_111_111_111_111_111n));
}

describe('restoring every property', () => {
  let work: string;
  let sample: SampleSnapshot;

  beforeEach(async () => {
    work = mkdtempSync(join(tmpdir(), 'restore-fidelity-'));
    mkdirSync(join(work, 'source'));
    mkdirSync(join(work, 'target'));
    buildTree(join(work, 'source'));
    sample = new SampleSnapshot();
    await sample.addTree(join(work, 'source'), '');
    sample.commit();
  });

  afterEach(() => {
    sample.close();
    // It complains about links and special files.
    spawnSync('chattr', ['-R', '-i', '-a', work]);
    rmSync(work, { recursive: true, force: true });
  });

  it('gives an empty folder back exactly', async () => {
    const outcome = await restoreSample(sample, join(work, 'target'));
    expect(outcome.problems.first).to.deep.equal([]);
    expect(outcome.status).to.equal('ok');
    expect(describeTree(join(work, 'target'))).to.deep.equal(describeTree(join(work, 'source')));
    expect(outcome.written).to.equal(outcome.entries);
  });

  it('is the same when done again over its own result, immutable files included', async () => {
    await restoreSample(sample, join(work, 'target'));
    const outcome = await restoreSample(sample, join(work, 'target'));
    expect(outcome.problems.first).to.deep.equal([]);
    expect(describeTree(join(work, 'target'))).to.deep.equal(describeTree(join(work, 'source')));
  });

  it('writes no file again with overwrite=changed, and reads no frame', async () => {
    await restoreSample(sample, join(work, 'target'));
    const outcome = await restoreSample(sample, join(work, 'target'), { overwrite: 'changed' });
    expect(outcome.problems.first).to.deep.equal([]);
    expect(outcome.bytesFetched).to.equal(0);
    const directories = [...Object.values(describeTree(join(work, 'source')))].filter(
      (each) => (each as { kind: string }).kind === 'directory',
    );
    expect(outcome.unchanged).to.equal(outcome.entries - directories.length);
    expect(describeTree(join(work, 'target'))).to.deep.equal(describeTree(join(work, 'source')));
  });
});
