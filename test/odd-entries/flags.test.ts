import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { restore } from '../../core/commands/restore.ts';
import { Sandbox } from '../commands/sandbox.ts';

const LETTERS = 'aAcCdDijmPsStTux';

function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' });
}

function tryTo(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

for (const type of ['ext4', 'btrfs', 'xfs']) {
  describe(`what chattr sets on ${type}`, function () {
    this.timeout(60_000);
    let sandbox: Sandbox;
    let home: string;

    beforeEach(async function () {
      if (!existsSync(`/usr/sbin/mkfs.${type}`)) this.skip();
      sandbox = new Sandbox();
      const image = join(sandbox.folder, 'image');
      writeFileSync(image, '');
      truncateSync(image, 400 * 1024 * 1024);
      execFileSync(`mkfs.${type}`, ['-q', image]);
      const account = sandbox.site;
      renameSync(account, join(sandbox.folder, 'site1'));
      execFileSync('mount', ['-o', 'loop', image, dirname(account)]);
      cpSync(join(sandbox.folder, 'site1'), account, { recursive: true });
      home = join(sandbox.shadow, 'home');
      mkdirSync(home);
      await sandbox.init();
    });

    afterEach(async () => {
      tryTo('chattr', ['-R', '-f', '-ia', sandbox.shadow]);
      tryTo('umount', [dirname(sandbox.site)]);
      await sandbox.remove();
    });

    /** Every name with its letters and its project. */
    const listing = (): string[] =>
      output('sh', ['-c', `cd ${home} && lsattr -pd *`])
        .trim()
        .split('\n')
        .sort();

    async function expectSameAfterRestore(): Promise<void> {
      const before = listing();
      expect(await sandbox.back()).to.include({ status: 'ok', warningCount: 0 });
      tryTo('chattr', ['-R', '-f', '-ia', home]);
      rmSync(home, { recursive: true });
      const result = await restore({ unit: 'site1' }, sandbox.context);
      expect(result, JSON.stringify(result.warnings)).to.include({ status: 'ok' });
      expect(listing()).to.deep.equal(before);
    }

    it('comes back, every letter that can be set', async () => {
      for (const letter of LETTERS) {
        writeFileSync(join(home, letter), '');
        mkdirSync(join(home, `folder-${letter}`));
        for (const name of [letter, `folder-${letter}`]) tryTo('chattr', [`+${letter}`, join(home, name)]);
      }
      expect(listing().filter((line) => /[aimcCS]/.test(line))).to.have.length.above(2);
      await expectSameAfterRestore();
    });

    it('comes back, with the project of a folder and of a file', async function () {
      mkdirSync(join(home, 'folder'));
      if (!tryTo('chattr', ['-p', '4242', join(home, 'folder')])) this.skip();
      execFileSync('chattr', ['+P', join(home, 'folder')]);
      writeFileSync(join(home, 'folder/inside'), 'inside');
      writeFileSync(join(home, 'file'), 'file');
      execFileSync('chattr', ['-p', '7', join(home, 'file')]);
      await expectSameAfterRestore();
      // Into a folder that is there and gives its project to what is new in it.
      execFileSync('chattr', ['-p', '7', join(home, 'folder/inside')]);
      expect(await sandbox.back()).to.include({ status: 'ok' });
      rmSync(join(home, 'folder/inside'));
      const { status, warnings } = await restore({ unit: 'site1', paths: ['shadow/home/folder/inside'] }, sandbox.context);
      expect(status, JSON.stringify(warnings)).to.equal('ok');
      expect(output('lsattr', ['-pd', join(home, 'folder/inside')])).to.match(/^ +7 /);
    });

    it('is no content where room was only set aside behind the end', async () => {
      const file = join(home, 'file');
      writeFileSync(file, 'short');
      execFileSync('fallocate', ['--keep-size', '-l', '100M', file]);
      const unit = await sandbox.back();
      expect(unit.bytesTotal).to.be.below(10_000);
      expect(unit.bytesRead).to.be.below(10_000);
      expect(await sandbox.differences()).to.deep.equal([]);
    });
  });
}
