import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect } from 'chai';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import type { Progress } from '../../core/context/context.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';

const SLOW = process.env.SLOW === '1';
const MIB = 1024 * 1024;

/** A file of which every stretch says whose it is. */
function contentOf(account: string, bytes: number): Buffer {
  const content = randomBytes(bytes);
  for (let at = 0; at + 64 <= bytes; at += 4096) content.write(`<<belongs to ${account}>>`, at);
  return content;
}

/** Those that fail, one after the other: all that are made for the first account, and with SLOW=1 all; else each third one of the rest. */
function callsOf(all: number): number[] {
  const calls = Array.from({ length: all }, (_, before) => before + 1);
  return SLOW ? calls : calls.filter((call) => call <= all / 3 || call % 3 === 0);
}

describe('a unit that fails', () => {
  let sandbox: Sandbox;
  let restores = 0;

  beforeEach(() => {
    sandbox = new Sandbox();
  });

  afterEach(async () => {
    await sandbox.remove();
  });

  function fill(account: string, files: number, bytes: number): void {
    const site = sandbox.addAccount(account);
    for (let file = 0; file < files; file++) writeFileSync(join(site, 'shadow', `file-${file}`), contentOf(account, bytes));
  }

  /** Whatever is called `ok` verifies, gives back the account, and holds nothing of another one. */
  async function expectTruth(result: RunResult): Promise<void> {
    expect((await verify({}, sandbox.context)).damages).to.deep.equal([]);
    for (const { unit, status, error } of result.units) {
      const packs = globSync(join(sandbox.repository, `servers/*/units/${unit}-*/packs/*`));
      for (const pack of packs) {
        const tar = zstdDecompressSync(readFileSync(pack)).toString('latin1');
        for (const [, whose] of tar.matchAll(/<<belongs to (\w+)>>/g)) expect(whose).to.equal(unit);
      }
      if (status === 'failed') {
        expect(error?.code, unit).to.be.oneOf(['disk_full', 'io_error']);
        continue;
      }
      const to = join(sandbox.folder, `restored-${++restores}`);
      await restore({ unit, to }, sandbox.context);
      const differences = ['shadow', 'info'].map((root) => compareTrees(join(sandbox.folder, 'virtual', unit, root), join(to, root)));
      expect((await Promise.all(differences)).flat(), unit).to.deep.equal([]);
      rmSync(to, { recursive: true });
    }
  }

  it('by a full disk in the middle of its scan leaves nothing in the packs of the next one', async () => {
    const disk = join(sandbox.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'none', disk]);
    try {
      sandbox.set('repository', join(disk, 'repository'));
      Object.assign(sandbox, { repository: join(disk, 'repository') });
      await sandbox.init();
      fill('site1', 60, MIB);
      fill('site2', 20, 20_000);
      for (let attempt = 0; attempt < 3; attempt++) {
        const result = await run({ units: ['site1', 'site2'], level: 'full' }, sandbox.context);
        expect(result.units.map(({ status }) => status)).to.deep.equal(['failed', 'ok']);
        expect(result.units[0]?.error?.code).to.equal('disk_full');
        await expectTruth(result);
      }
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  }).timeout(120_000);

  it('does not take the outcomes of the units with it when the record of the run is what fails', async () => {
    await sandbox.init();
    for (const account of ['site1', 'site2']) fill(account, 1, 1000);
    const create = LocalBackend.prototype.create;
    LocalBackend.prototype.create = async function (name) {
      if (name.includes('/runs/')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return create.call(this, name);
    };
    try {
      const result = await run({ units: ['site1', 'site2'] }, sandbox.context);
      expect(result.units.map(({ status }) => status)).to.deep.equal(['ok', 'ok']);
      expect([result.status, exitCodeOfResult(result), result.unrecorded?.code]).to.deep.equal(['partial', 3, 'disk_full']);
      await expectTruth(result);
    } finally {
      LocalBackend.prototype.create = create;
    }
    const next = await run({ units: ['site1', 'site2'] }, sandbox.context);
    expect([next.status, next.unrecorded]).to.deep.equal(['ok', undefined]);
    expect(next.units.map(({ status }) => status)).to.deep.equal(['unchanged', 'unchanged']);
  });

  it('because its lock cannot be taken leaves the others as they are', async () => {
    await sandbox.init();
    for (const account of ['site1', 'site2', 'site3']) fill(account, 1, 1000);
    // A disk that is out of order gives any error here.
    mkdirSync(join(sandbox.stateDirectory, 'locks/site2.backup.lock'), { recursive: true });
    const result = await run({ units: ['site1', 'site2', 'site3'], level: 'full' }, sandbox.context);
    expect(result.units.map(({ status }) => status)).to.deep.equal(['ok', 'failed', 'ok']);
    await expectTruth(result);
  });

  it('at any call of the repository, once or for ever, leaves the others as they are', async () => {
    await sandbox.init();
    for (const account of ['site1', 'site2', 'site3']) fill(account, 4, 700_000);
    const create = LocalBackend.prototype.create;
    /** Lets the call number `failing` fail, and with `isForever` all after it; returns how many there were. */
    const runWithFailure = async (failing: number, isForever: boolean): Promise<{ calls: number; result: RunResult }> => {
      let calls = 0;
      const enter = (): void => {
        calls++;
        if (calls === failing || (isForever && calls > failing)) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
      LocalBackend.prototype.create = async function (name) {
        // The run's own record is not what this is about.
        if (!name.includes('/units/')) return create.call(this, name);
        enter();
        const writer = await create.call(this, name);
        return {
          write: async (chunk) => {
            enter();
            await writer.write(chunk);
          },
          commit: async () => {
            enter();
            await writer.commit();
          },
          abort: () => writer.abort(),
        };
      };
      try {
        return { result: await run({ units: ['site1', 'site2', 'site3'], level: 'full' }, sandbox.context), calls };
      } finally {
        LocalBackend.prototype.create = create;
      }
    };
    const { calls: all, result } = await runWithFailure(0, false);
    expect(result.status).to.equal('ok');
    for (const failing of callsOf(all)) {
      const isForever = failing % 7 === 0;
      const { result: outcome, calls } = await runWithFailure(failing, isForever);
      const failed = outcome.units.filter(({ status }) => status === 'failed').length;
      // How many calls there are differs by the number of frames that two workers make.
      if (calls >= failing) expect(failed, `call ${failing}`).to.be.at.least(1);
      if (!isForever) expect(failed, `call ${failing}`).to.be.at.most(1);
      if (failing % 8 === 0 || failing >= all - 1) await expectTruth(outcome);
    }
    await expectTruth((await runWithFailure(0, false)).result);
    expect(all).to.be.at.least(30);
  }).timeout(300_000);

  it('and all behind it are not ok when the repository was unmounted meanwhile, and nothing is written below', async () => {
    const disk = join(sandbox.folder, 'disk');
    for (const folder of [disk, sandbox.repository]) mkdirSync(folder, { mode: 0o700 });
    execFileSync('mount', ['--bind', disk, sandbox.repository]);
    try {
      fill('site2', 2, MIB);
      await sandbox.init();
      const { context } = sandbox;
      const progress = ({ unit }: Progress): void => {
        if (unit === 'site2' && readdirSync(sandbox.repository).length > 0) execFileSync('umount', ['-l', sandbox.repository]);
      };
      const result = await run({}, { ...context, reporter: { ...context.reporter, progress } });
      expect(result.status).to.be.oneOf(['partial', 'failed']);
      expect(result.unrecorded?.code).to.equal('repository_missing');
      const behind = result.units.slice(result.units.findIndex(({ unit }) => unit === 'site2'));
      expect(behind.length).to.be.at.least(2);
      for (const { unit, status, error } of behind)
        expect({ unit, status, code: error?.code }, unit).to.deep.equal({ unit, status: 'failed', code: 'repository_missing' });
      expect(readdirSync(sandbox.repository)).to.deep.equal([]);
      execFileSync('mount', ['--bind', disk, sandbox.repository]);
      expect(await run({}, context)).to.include({ status: 'ok' });
    } finally {
      execFileSync('sh', ['-c', `umount -l ${sandbox.repository} 2>/dev/null || true`]);
    }
  });
});
