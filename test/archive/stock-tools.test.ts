import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Described, describeTree } from './described-tree.ts';
import { packOf, tarOf } from './members.ts';
import { expectedOf, TORTURE } from './torture.ts';

const OUTPUT_LIMIT = 64 * 1024 * 1024;
// Frames far smaller than usual, so that members begin, run on and end in different ones.
const FRAME_LENGTH = 5 * 512;

function run(command: string, args: string[], input?: Buffer): { stdout: Buffer; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    maxBuffer: OUTPUT_LIMIT,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined) throw error;
  expect(status, `${command}: ${stderr.toString('latin1')}`).to.equal(0);
  return { stdout, stderr: stderr.toString('latin1') };
}

/**
 * What bsdtar makes of an entry. It gives the sign of a time to the seconds alone and adds the fraction, which is up to a
 * second off before 1970, and it leaves the escapes of `=` and `%` in attribute names as they are.
 */
function asBsdtar(expected: Described): Described {
  const names = Object.entries(expected.xattrs).map(([name, value]) => [name.replaceAll('%', '%25').replaceAll('=', '%3D'), value]);
  const { mtime } = expected;
  return { ...expected, mtime: mtime < 0n ? mtime - 2n * (mtime % 1_000_000_000n) : mtime, xattrs: Object.fromEntries(names) };
}

describe('A pack in the hands of stock tools', () => {
  let folder: string;
  let packFile: string;
  let tar: Buffer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-test-'));
    packFile = join(folder, 'pack.tar.zst');
    tar = tarOf(TORTURE);
    const { pack } = await packOf(tar, FRAME_LENGTH);
    writeFileSync(packFile, pack);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function expectWholeTree(target: string, seenBy = (expected: Described) => expected): void {
    const found = describeTree(target);
    for (const member of TORTURE) {
      const { path } = member.entry;
      expect(found.get(path), JSON.stringify(path)).to.deep.equal(seenBy(expectedOf(member)));
      found.delete(path);
    }
    expect([...found.keys()]).to.deep.equal([]);
  }

  it('is one tar archive to zstd, seek table and all', () => {
    expect(run('zstd', ['-dc', packFile]).stdout.equals(Buffer.concat([tar, Buffer.alloc(1024)]))).to.equal(true);
    run('zstd', ['-tq', packFile]);
    const listing = run('zstd', ['-lv', packFile]).stdout.toString();
    expect(listing).to.match(/# Skippable Frames: 1\b/);
    expect(listing).to.match(/Check: XXH64/);
  });

  it('is restored in every property by GNU tar', () => {
    const target = mkdtempSync(join(folder, 'gnu-'));
    const plain = run('zstd', ['-dc', packFile]).stdout;
    run('tar', ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '-xpf', '-', '-C', target], plain);
    expectWholeTree(target);
  });

  it('is restored in every property by bsdtar', () => {
    const target = mkdtempSync(join(folder, 'bsd-'));
    const plain = run('zstd', ['-dc', packFile]).stdout;
    run('bsdtar', ['--xattrs', '--acls', '--numeric-owner', '-xpf', '-', '-C', target], plain);
    expectWholeTree(target, asBsdtar);
  });
});
