import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Outcome } from '../../../core/restore/outcome.ts';
import { openRoot, restoreSample } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

const KILLED = join(import.meta.dirname, '../killed-restore.ts');

describe('a folder that a killed restore had opened', () => {
  let work: string;
  let target: string;
  let guarded: string;
  let inner: string;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore öpened\n'));
    target = join(work, 'target');
    guarded = join(target, 'guarded');
    inner = join(guarded, 'inner');
    mkdirSync(inner, { recursive: true });
    execFileSync('chattr', ['+a', inner]);
    execFileSync('chattr', ['+i', guarded]);
  });

  afterEach(() => {
    spawnSync('chattr', ['-R', '-f', '-i', '-a', work]);
    rmSync(work, { recursive: true, force: true });
  });

  const flags = (path: string) =>
    [...(execFileSync('lsattr', ['-d', path], { encoding: 'utf8' }).split(' ')[0] as string)]
      .filter((flag) => 'ia'.includes(flag))
      .join('');

  /** Leaves both folders open. */
  function killOne(): string {
    const { signal, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', KILLED, target], { encoding: 'utf8' });
    expect(signal, stderr).to.equal('SIGKILL');
    expect([guarded, inner].map(flags)).to.deep.equal(['', '']);
    const left = readdirSync(target).filter((name) => name.startsWith('.apiscp-backup-'));
    expect(left).to.have.length(1);
    return join(target, left[0] as string);
  }

  /** A restore of something else. */
  async function restoreOther(crossMounts = false): Promise<Outcome> {
    const sample = new SampleSnapshot();
    sample.add(sampleEntry('other', {}));
    sample.commit();
    const roots = [openRoot(target, { crossMounts })];
    try {
      return await restoreSample(sample, target, { paths: ['other'], overwrite: 'never', roots });
    } finally {
      sample.close();
    }
  }

  /** A path as the program has it. */
  const bytes = (path: string) => Buffer.from(path).toString('latin1');
  const named = ({ problems }: Outcome) => problems.first.map(({ code, path }) => [code, path]);

  for (const crossMounts of [false, true]) {
    it(`is closed and named by the next one, whatever that restores${crossMounts ? ', on each mount of its own' : ''}`, async () => {
      killOne();
      const outcome = await restoreOther(crossMounts);
      expect([guarded, inner].map(flags)).to.deep.equal(['i', 'a']);
      expect(outcome.status).to.equal('partial');
      expect(named(outcome)).to.have.deep.members([guarded, inner].map((path) => ['protection_left', bytes(path)]));
      expect(outcome.problems.first[0]?.message).to.include('has it again');
      expect(readdirSync(target).sort()).to.deep.equal(['guarded', 'other']);
      expect(named(await restoreOther(crossMounts))).to.deep.equal([]);
    });
  }

  it('is noted before, and what was written last may be cut short', async () => {
    const staging = killOne();
    const notes = readFileSync(join(staging, 'opened-folders'), 'latin1').split('\n').filter(Boolean);
    expect(notes.map((line) => JSON.parse(line).path)).to.deep.equal([guarded, inner].map(bytes));
    appendFileSync(join(staging, 'opened-folders'), '{"path":"/et');
    await restoreOther();
    expect([guarded, inner].map(flags)).to.deep.equal(['i', 'a']);
    expect(existsSync(staging)).to.equal(false);
  });

  it('gets nothing when it was renamed away, nor what stands there instead, and is named until it is back', async () => {
    const staging = killOne();
    renameSync(inner, join(guarded, 'away'));
    mkdirSync(inner);
    const first = await restoreOther();
    expect([guarded, inner, join(guarded, 'away')].map(flags)).to.deep.equal(['i', '', '']);
    expect(named(first)).to.have.deep.members([guarded, inner].map((path) => ['protection_left', bytes(path)]));
    expect(first.problems.first.find(({ path }) => path === bytes(inner))?.message)
      .to.include('cannot be put back')
      .and.to.include(bytes(staging));
    expect(readdirSync(staging)).to.deep.equal(['opened-folders']);
    // What was closed is settled: nobody closes it again against its owner.
    execFileSync('chattr', ['-i', guarded]);
    expect(named(await restoreOther())).to.deep.equal([['protection_left', bytes(inner)]]);
    expect(flags(guarded)).to.equal('');
    rmSync(inner, { recursive: true });
    renameSync(join(guarded, 'away'), inner);
    await restoreOther();
    expect(flags(inner)).to.equal('a');
    expect(existsSync(staging)).to.equal(false);
  });

  it('is not looked for through a link', async () => {
    killOne();
    renameSync(guarded, join(work, 'away'));
    execFileSync('ln', ['-s', join(work, 'away'), guarded]);
    const outcome = await restoreOther();
    expect([join(work, 'away'), join(work, 'away/inner')].map(flags)).to.deep.equal(['', '']);
    expect(named(outcome)).to.have.deep.members([guarded, inner].map((path) => ['protection_left', bytes(path)]));
  });
});
