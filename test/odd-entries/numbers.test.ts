import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { ls } from '../../core/commands/ls.ts';
import { plan } from '../../core/commands/plan.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** Seconds since 1970 that a file system keeps in 64 bits. */
const TIMES = [-(2n ** 62n), -62_167_219_201n, 8_640_000_000_001n, 140_152_000_000_000n, 2n ** 62n];

describe('numbers that are larger than those of JavaScript', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    execFileSync('mount', ['-t', 'tmpfs', 'none', sandbox.shadow]);
    await sandbox.init();
    writeFileSync(join(sandbox.shadow, 'page'), 'page');
  });

  afterEach(async () => {
    execFileSync('umount', [sandbox.shadow]);
    await sandbox.remove();
  });

  /** Asks every command that only looks. */
  async function expectEveryoneLooks(name: string): Promise<void> {
    const { context } = sandbox;
    const unit = 'site1';
    await ls({ unit, folder: 'shadow' }, context);
    await find({ unit, pattern: `shadow/${name}` }, context);
    await history({ unit, path: `shadow/${name}` }, context);
    await diff({ unit, live: true }, context);
    await plan({ unit }, context);
    expect(await verify({}, context)).to.include({ status: 'ok' });
  }

  it('are kept as the times of entries, and shown', async () => {
    for (const [number, seconds] of TIMES.entries()) {
      const file = join(sandbox.shadow, `file-${number}`);
      writeFileSync(file, 'x');
      execFileSync('/usr/bin/python3', [
        '-c',
        'import os, sys; os.utime(sys.argv[1], ns=(0, int(sys.argv[2])))',
        file,
        `${seconds * 10n ** 9n + 5n}`,
      ]);
    }
    expect(await sandbox.back()).to.include({ status: 'ok', warningCount: 0 });
    await expectEveryoneLooks('file-0');
    expect(await sandbox.back()).to.include({ status: 'unchanged' });
    const to = join(sandbox.folder, 'to');
    mkdirSync(to);
    execFileSync('mount', ['-t', 'tmpfs', 'none', to]);
    try {
      await restore({ unit: 'site1', to }, sandbox.context);
      for (const [number, seconds] of TIMES.entries()) {
        expect(execFileSync('stat', ['-c', '%Y', join(to, `shadow/file-${number}`)], { encoding: 'utf8' })).to.equal(`${seconds}\n`);
      }
    } finally {
      execFileSync('umount', [to]);
    }
  });

  it('name a file that is longer, and cost nothing else', async () => {
    for (const [name, size] of Object.entries({ longest: 2n ** 63n - 1n, long: 2n ** 53n + 1n })) {
      writeFileSync(join(sandbox.shadow, name), '');
      execFileSync('truncate', ['-s', String(size), join(sandbox.shadow, name)]);
    }
    truncateSync(join(sandbox.shadow, 'page'), 2 ** 52);
    for (const level of ['full', 'incremental'] as const) {
      const unit = await sandbox.back(level);
      expect(unit, JSON.stringify(unit.error)).to.include({ status: 'partial', bytesTotal: Number.MAX_SAFE_INTEGER });
      expect(unit.warnings.map(({ path, message }) => `${path}: ${message}`).sort()).to.deep.equal([
        'shadow/long: its content could not be read: it is as long as 9007199254740991 bytes or longer',
        'shadow/longest: its content could not be read: it is as long as 9007199254740991 bytes or longer',
      ]);
    }
    await expectEveryoneLooks('longest');
    const to = join(sandbox.folder, 'to');
    const { status } = await restore({ unit: 'site1', to, paths: ['info'] }, sandbox.context);
    expect(status).to.equal('ok');
    expect(readFileSync(join(to, 'info/current/siteinfo'), 'utf8')).to.contain('example.test');
  });
});
