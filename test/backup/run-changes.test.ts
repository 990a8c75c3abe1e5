import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Sandbox } from '../commands/sandbox.ts';

/** Each changes the account in one way that an incremental must notice. */
const CHANGES: Record<string, (shadow: string) => void> = {
  'an access list alone': (shadow) => execFileSync('setfacl', ['-m', 'u:12345:r', join(shadow, 'file')]),
  'a default access list alone': (shadow) => execFileSync('setfacl', ['-d', '-m', 'u:12345:r', join(shadow, 'folder')]),
  'an attribute alone': (shadow) => execFileSync('setfattr', ['-n', 'user.note', '-v', 'new', join(shadow, 'file')]),
  'an attribute of a directory': (shadow) => execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', join(shadow, 'folder')]),
  'the owner': (shadow) => chownSync(join(shadow, 'file'), 1234, 5678),
  'the mode': (shadow) => chmodSync(join(shadow, 'file'), 0o4711),
  'an inode flag': (shadow) => execFileSync('chattr', ['+d', join(shadow, 'file')]),
  'content of the same size with its time set back': (shadow) => {
    const file = join(shadow, 'file');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'CONTENT');
    utimesSync(file, atime, mtime);
  },
  'a file replaced by another of the same size and time': (shadow) => {
    const file = join(shadow, 'file');
    writeFileSync(`${file}.new`, 'CONTENT');
    execFileSync('touch', ['-r', file, `${file}.new`]);
    renameSync(`${file}.new`, file);
  },
  'a file that became a link': (shadow) => {
    unlinkSync(join(shadow, 'file'));
    symlinkSync('/etc/passwd', join(shadow, 'file'));
  },
  'a file that became a directory': (shadow) => {
    unlinkSync(join(shadow, 'file'));
    mkdirSync(join(shadow, 'file'));
    writeFileSync(join(shadow, 'file/inside'), 'x');
  },
  'a directory that became a file': (shadow) => {
    rmSync(join(shadow, 'folder'), { recursive: true });
    writeFileSync(join(shadow, 'folder'), 'x');
  },
  'a file that became a whiteout': (shadow) => {
    unlinkSync(join(shadow, 'file'));
    execFileSync('mknod', [join(shadow, 'file'), 'c', '0', '0']);
  },
  'a hard link more': (shadow) => linkSync(join(shadow, 'file'), join(shadow, 'folder/another')),
  'a hard link less': (shadow) => unlinkSync(join(shadow, 'linked-2')),
  'a new name': (shadow) => renameSync(join(shadow, 'file'), join(shadow, 'renamed')),
  'a folder elsewhere': (shadow) => renameSync(join(shadow, 'folder'), join(shadow, 'zfolder')),
  'a deletion': (shadow) => unlinkSync(join(shadow, 'file')),
  'a deleted folder': (shadow) => rmSync(join(shadow, 'folder'), { recursive: true }),
  'the time of a directory': (shadow) => utimesSync(join(shadow, 'folder'), 1, 1),
  'a file that grew': (shadow) => appendFileSync(join(shadow, 'file'), 'more'),
};

describe('what an incremental notices', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    const { shadow } = sandbox;
    mkdirSync(join(shadow, 'folder/deep'), { recursive: true });
    writeFileSync(join(shadow, 'file'), 'content');
    writeFileSync(join(shadow, 'folder/deep/other'), 'other');
    writeFileSync(join(shadow, 'linked-1'), 'linked');
    linkSync(join(shadow, 'linked-1'), join(shadow, 'linked-2'));
    await sandbox.init();
    await sandbox.back('full');
  });

  afterEach(() => sandbox.remove());

  for (const [what, change] of Object.entries(CHANGES)) {
    it(what, async () => {
      change(sandbox.shadow);
      const outcome = await sandbox.back('incremental');
      expect(outcome).to.include({ status: 'ok', level: 'incremental' });
      expect(await sandbox.differences(outcome.snapshot as string)).to.deep.equal([]);
    });
  }

  it('nothing, when nothing changed: no object is stored', async () => {
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'unchanged', bytesStored: 0 });
  });

  it('a change made at once after the scan, within the same clock tick', async () => {
    for (let round = 0; round < 5; round++) {
      const file = join(sandbox.shadow, 'file');
      writeFileSync(file, `round ${round}a`);
      await sandbox.back('incremental');
      writeFileSync(file, `round ${round}b`);
      const outcome = await sandbox.back('incremental');
      expect(outcome.status).to.equal('ok');
      expect(await sandbox.differences(outcome.snapshot as string)).to.deep.equal([]);
    }
  });
});
