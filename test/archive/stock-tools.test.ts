import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { chunkEntry } from '../../core/archive/chunk-member.ts';
import { type Described, describeTree } from './described-tree.ts';
import { noise, packOf, tarOf } from './members.ts';
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
    const pack = await packOf(tar, FRAME_LENGTH);
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

  it('gives single extents to the commands that the documentation shows', async () => {
    const documentation = readFileSync(new URL('../../docs/format/pack.md', import.meta.url), 'utf8');
    const script = documentation.split('```sh\n')[1]!.split('```')[0]!;
    const pieces = [noise('first', 3000), noise('second', 2000)].map((content) => {
      const digest = createHash('sha256').update(content).digest();
      return { entry: chunkEntry(digest, content.length), content };
    });
    const pack = await packOf(tarOf(pieces), FRAME_LENGTH);
    const file = join(folder, 'chunks.tar.zst');
    writeFileSync(file, pack);
    // Both chunks begin behind a header of one block; the second one's lies in the block after the first one's six.
    for (const [at, { entry, content }] of [[512, pieces[0]!] as const, [512 * 8, pieces[1]!] as const]) {
      const place = [Math.floor(at / FRAME_LENGTH), at % FRAME_LENGTH, content.length];
      const { stdout } = run('bash', ['-c', `${script}\nextent "$@"`, 'extent', file, ...place.map(String)]);
      expect(stdout.equals(content)).to.equal(true);
      expect(run('tar', ['-xOf', '-', entry.path], run('zstd', ['-dc', file]).stdout).stdout.equals(content)).to.equal(true);
    }
  });
});
