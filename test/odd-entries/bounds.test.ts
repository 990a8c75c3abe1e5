import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { WarningList } from '../../core/backup/rows/warning-list.ts';
import { timeBudget } from '../../core/backup/run/time-budget.ts';
import { restore } from '../../core/commands/restore.ts';
import { excludeAny } from '../../core/exclude/exclude-matcher.ts';
import { letGo, openTrustedDirectory } from '../../core/linux/files.ts';
import { StatBuffer, statAt } from '../../core/linux/stat.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import { TreeComparison } from '../../core/scan/compare/tree-comparison.ts';
import { WARNING_BYTES } from '../../core/scan/limits.ts';
import { inlinePages } from '../../core/scan/walk/inline-pages.ts';
import { Note, RowPage } from '../../core/scan/walk/row-page.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { Recorder, record, rootIn } from '../scan/recorded-walk.ts';

const DEEP = `
import os, sys
os.chdir(sys.argv[1])
for level in range(int(sys.argv[2])):
    open('file', 'w').write('x')
    os.mkdir('d' * 200)
    os.chdir('d' * 200)
`;

const ATTRIBUTES = `
import os, sys
for number in range(int(sys.argv[2])):
    path = f'{sys.argv[1]}/file-{number}'
    open(path, 'w').write('x')
    for index in range(int(sys.argv[3])):
        os.setxattr(path, f'user.{index}', f'{number}-{index}-'.encode() * 6000)
`;

describe('what one account can make a backup do (case 28)', function () {
  this.timeout(120_000);

  it('ends at paths of some kilobytes, and what is deeper is named', async () => {
    const sandbox = new Sandbox();
    try {
      await sandbox.init();
      mkdirSync(join(sandbox.shadow, 'deep'));
      writeFileSync(join(sandbox.shadow, 'page'), 'page');
      execFileSync('/usr/bin/python3', ['-c', DEEP, join(sandbox.shadow, 'deep'), '120']);
      const unit = await sandbox.back();
      expect(unit).to.include({ status: 'partial', error: null, warningCount: 1 });
      expect(unit.warnings[0]!.code).to.equal('unsupported');
      expect(unit.warnings[0]!.path).to.have.length.within(16 * 1024, 17 * 1024);
      expect(unit.entries).to.be.above(150);
    } finally {
      execFileSync('rm', ['-rf', join(sandbox.shadow, 'deep')]);
      await sandbox.remove();
    }
  });

  it('is no more than a quarter of a megabyte of warnings in a record, however long their paths are', () => {
    const list = new WarningList();
    for (let number = 0; number < 1000; number++) list.add('p'.repeat(16_000), 'unreadable', 'it could not be read');
    expect(list.count).to.equal(1000);
    expect(list.list.length).to.be.above(10);
    expect(JSON.stringify(list.list).length).to.be.below(WARNING_BYTES + 1000);
  });

  it('is to hold some megabytes of attributes at a time, of which all come back', async function () {
    const sandbox = new Sandbox();
    const inner = join(sandbox.shadow, 'inner');
    const to = join(sandbox.folder, 'to');
    for (const folder of [inner, to]) mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', 'none', sandbox.shadow]);
    execFileSync('mount', ['-t', 'tmpfs', 'none', to]);
    try {
      try {
        execFileSync('setfattr', ['-n', 'user.try', '-v', 'x', sandbox.shadow]);
      } catch {
        return this.skip();
      }
      await sandbox.init();
      execFileSync('/usr/bin/python3', ['-c', ATTRIBUTES, sandbox.shadow, '100', '2']);
      expect(await sandbox.back()).to.include({ status: 'ok', warningCount: 0 });
      await restore({ unit: 'site1', to }, sandbox.context);
      const dump = (folder: string): string =>
        execFileSync('sh', ['-c', `cd ${folder} && getfattr -d -m - file-* | sha256sum`], { encoding: 'utf8' });
      expect(dump(join(to, 'shadow'))).to.equal(dump(sandbox.shadow));

      execFileSync('/usr/bin/python3', ['-c', ATTRIBUTES, sandbox.shadow, '1', '60']);
      execFileSync('setfacl', ['-m', 'u:12345:r', join(sandbox.shadow, 'file-0')]);
      const unit = await sandbox.back();
      expect(unit).to.include({ status: 'partial', warningCount: 1 });
      expect(unit.warnings[0]!.message).to.match(/more than 1048576 bytes/);
      await restore({ unit: 'site1', to, overwrite: 'always' }, sandbox.context);
      expect(execFileSync('getfacl', ['-np', join(to, 'shadow/file-0')], { encoding: 'utf8' })).to.contain('user:12345:r--');
    } finally {
      for (const folder of [sandbox.shadow, to]) execFileSync('umount', [folder]);
      await sandbox.remove();
    }
  });

  it('is to read a tree once that moves on ahead of the walk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    try {
      for (const name of ['a/x/y', 'm', 'z']) mkdirSync(join(folder, 'tree', name), { recursive: true });
      writeFileSync(join(folder, 'tree/a/x/y/file'), 'x');
      // More than fits a page: when the walk is here, the first page has been told.
      for (let number = 0; number < 1200; number++) writeFileSync(join(folder, 'tree/m', String(number)), '');
      let moved = false;
      const read: string[] = [];
      function* pages(): Generator<RowPage> {
        for (const page of inlinePages({ roots: rootIn(folder), mounts: new Map() }, excludeAny([]))) {
          for (let row = 0; row < page.count; row++) read.push(page.name(row));
          yield page;
        }
      }
      const { lines } = await record(rootIn(folder), pages(), undefined, () => {
        if (!moved) renameSync(join(folder, 'tree/a/x'), join(folder, 'tree/z/x'));
        moved = true;
      });
      expect(lines.filter((line) => line.includes('/x'))).to.satisfy((told: string[]) =>
        told.some((line) => line.startsWith('new tree/z/x ')),
      );
      expect(lines.filter((line) => line.startsWith('unreadable tree/z/x: it was met at another place before'))).to.have.length(1);
      expect(lines.filter((line) => line.includes('tree/z/x/'))).to.deep.equal([]);
      expect(read.filter((name) => name === 'y')).to.have.length(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is to store a tree once that moves on from one reader to another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    try {
      for (const name of ['a/x/y', 'z']) mkdirSync(join(folder, 'tree', name), { recursive: true });
      const recorder = new Recorder();
      const comparison = new TreeComparison(rootIn(folder), undefined, recorder);
      const take = (paths: readonly string[]): void => {
        const page = new RowPage(new ArrayBuffer(RowPage.byteLength(16)), 0, 16);
        for (const path of paths) {
          const stat = new StatBuffer();
          const above = openTrustedDirectory(join(folder, dirname(path)));
          statAt(above, basename(path), stat);
          letGo(above);
          page.add(Note.entered, path.split('/').length - 1, basename(path), stat);
        }
        comparison.take(page);
      };
      take(['tree', 'tree/a', 'tree/a/x', 'tree/a/x/y']);
      renameSync(join(folder, 'tree/a/x'), join(folder, 'tree/z/x'));
      take(['tree/z', 'tree/z/x', 'tree/z/x/y']);
      comparison.finish();
      comparison.close();
      expect(recorder.lines.filter((line) => line.startsWith('unreadable tree/z/x: it was met'))).to.have.length(1);
      expect(recorder.lines.filter((line) => line.includes('tree/z/x/y'))).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes time by what it has, and what is not seen in that time counts as unseen', async () => {
    const record = (entries: number, total: number) => ({ counts: { entries }, bytes: { total } }) as SnapshotRecord;
    const roots = [{ path: 'x', parent: '/' }];
    const little = timeBudget(roots, record(1000, 1e6), undefined);
    expect(little).to.be.within(6 * 3600e3, 7 * 3600e3);
    expect(timeBudget(roots, record(1e8, 1e6), undefined)).to.be.above(8 * little);
    expect(timeBudget(roots, record(1000, 1e9), undefined)).to.be.above(little);
    expect(timeBudget(roots, record(1000, 1e9), 1e5)).to.be.above(timeBudget(roots, record(1000, 1e9), undefined));
    expect(timeBudget(roots, undefined, undefined)).to.be.above(6 * 3600e3);
    // Holes give no time: who made a file of 8 EiB of nothing would have as much as he likes.
    expect(timeBudget(roots, record(1000, Number.MAX_SAFE_INTEGER), undefined)).to.be.below(20 * timeBudget(roots, undefined, undefined));

    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    try {
      mkdirSync(join(folder, 'tree/m'), { recursive: true });
      for (let number = 0; number < 1200; number++) writeFileSync(join(folder, 'tree/m', String(number)), '');
      const recorder = new Recorder();
      const comparison = new TreeComparison(rootIn(folder), undefined, recorder);
      const pages = inlinePages({ roots: rootIn(folder), mounts: new Map() }, excludeAny([]));
      comparison.take(pages.next().value!);
      comparison.endEarly('it takes too long');
      const told = recorder.lines.length;
      comparison.take(pages.next().value!);
      comparison.finish();
      expect(recorder.lines).to.have.length(told);
      expect(recorder.lines.filter((line) => line.startsWith('unreadable'))).to.deep.equal(['unreadable tree/m: it takes too long']);
      comparison.close();
      pages.return(undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
