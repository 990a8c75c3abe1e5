import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { excludePaths } from '../../../core/exclude/exclude-matcher.ts';
import { excludeMatcherOf } from '../../../core/exclude/exclude-rules.ts';
import type { ByteString } from '../../../core/manifest/entry.ts';
import { comparePaths } from '../../../core/manifest/path-order.ts';
import { inlinePages } from '../../../core/scan/walk/inline-pages.ts';
import type { FromReader, ToReader } from '../../../core/scan/walk/reader-messages.ts';
import { ReaderPool } from '../../../core/scan/walk/reader-pool.ts';
import { startWorker } from '../../../core/workers.ts';
import { seededRandom } from '../../commands/random-tree.ts';
import { failureOf } from '../../failure-of.ts';
import { FakeThread, settled } from '../fake-thread.ts';
import { record, rootIn } from '../recorded-walk.ts';

const NOTHING = { paths: [], patterns: [] };

/** Makes a tree and gives all its paths, some that are not there among them. */
function growTree(folder: string, random: () => number): ByteString[] {
  const paths: ByteString[] = [];
  const grow = (at: string, path: ByteString, depth: number): void => {
    mkdirSync(at);
    paths.push(path);
    const count = Math.floor(random() * 14);
    for (let number = 0; number < count; number++) {
      const name = `${'abc-.'[Math.floor(random() * 5)]}${number}`;
      const kind = random();
      if (kind < 0.45 && depth < 5) grow(join(at, name), `${path}/${name}`, depth + 1);
      else if (kind < 0.55) symlinkSync('..', join(at, name));
      else writeFileSync(join(at, name), 'x'.repeat(number));
      paths.push(`${path}/${name}`);
      if (kind < 0.1) paths.push(`${path}/${name}/absent/far below`, `${path}/${name}0`);
    }
  };
  grow(join(folder, 'tree'), 'tree', 0);
  return paths;
}

describe('readers side by side', () => {
  const pools: ReaderPool[] = [];
  let folder: string;

  const poolOf = (readers: number, pages: number, pageRows: number): ReaderPool => {
    const pool = new ReaderPool({ readers, pages, pageRows });
    pools.push(pool);
    return pool;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-readers-'));
  });

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('see what one sees, in the same order, wherever they take over', async () => {
    const pool = poolOf(3, 2, 3);
    for (let seed = 1; seed <= 6; seed++) {
      const random = seededRandom(seed);
      const home = mkdtempSync(join(folder, 'home-'));
      const all = growTree(home, random);
      const task = { roots: rootIn(home), mounts: new Map() };
      const cuts = [...new Set(all.filter(() => random() < 0.2))].sort(comparePaths);
      const expected = await record(task.roots, inlinePages(task, excludePaths([])));
      const seen = await record(task.roots, pool.pages(task, NOTHING, cuts));
      expect(seen, `seed ${seed}`).to.deep.equal(expected);
      expect(expected.lines.length).to.be.greaterThan(0);
    }
  });

  it('never wait for one another for ever, with a single page of a single row each', async () => {
    const all = growTree(folder, seededRandom(3));
    const task = { roots: rootIn(folder), mounts: new Map() };
    const cuts = [...new Set(all)].sort(comparePaths);
    const expected = await record(task.roots, inlinePages(task, excludePaths([])));
    for (const readers of [1, 2, 4]) {
      expect(await record(task.roots, poolOf(readers, 1, 1).pages(task, NOTHING, cuts))).to.deep.equal(expected);
    }
  });

  it('share a directory of 20,000 names, which takes several looks at its listing', async () => {
    mkdirSync(join(folder, 'tree/large'), { recursive: true });
    for (let number = 0; number < 20_000; number++) writeFileSync(join(folder, 'tree/large', `${number}`), '');
    const task = { roots: rootIn(folder), mounts: new Map() };
    const cuts = ['1', '19999', '2', '25', '4', '5', '9'].map((name) => `tree/large/${name}`);
    const seen = await record(task.roots, poolOf(2, 2, 256).pages(task, NOTHING, cuts));
    expect(seen.entries).to.equal(20_002);
    expect(seen).to.deep.equal(await record(task.roots, inlinePages(task, excludePaths([]))));
  });

  it('leave out what paths and patterns name, and what is mounted', async () => {
    growTree(folder, seededRandom(2));
    mkdirSync(join(folder, 'tree/z/kept'), { recursive: true });
    mkdirSync(join(folder, 'tree/z/left'), { recursive: true });
    writeFileSync(join(folder, 'tree/z/kept/file'), '');
    writeFileSync(join(folder, 'tree/z/left/file'), '');
    const task = { roots: rootIn(folder), mounts: new Map([['tree/z/kept', 'local' as const]]) };
    const exclude = { paths: ['tree/z/left'], patterns: ['*1', '!a1'] };
    const { lines } = await record(task.roots, inlinePages(task, excludeMatcherOf(exclude)));
    expect(lines.filter((line) => line.includes('tree/z')).map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'new tree/z',
      'new tree/z/kept',
      'mount_skipped tree/z/kept:',
    ]);
    const cuts = ['tree/z/kept', 'tree/z/kept/file', 'tree/z/left/file', 'tree/z/left/other'];
    expect((await record(task.roots, poolOf(2, 1, 2).pages(task, exclude, cuts))).lines).to.deep.equal(lines);
  });

  it('go through several roots below levels that are no entries', async () => {
    for (const root of ['var/lib/one', 'var/log', 'etc']) {
      mkdirSync(join(folder, root, 'deep'), { recursive: true });
      writeFileSync(join(folder, root, 'deep/file'), root);
    }
    const roots = ['var/lib/one', 'var/log', 'etc'].map((path) => ({ path, parent: join(folder, path, '..') }));
    const task = { roots, mounts: new Map() };
    const expected = await record(roots, inlinePages(task, excludePaths([])));
    expect(expected.entries).to.equal(9);
    const cuts = ['etc/deep/file', 'var', 'var/lib', 'var/lib/nothing', 'var/lib/one/deep', 'var/lib/one/deep/file', 'var/log/deep/g'];
    expect(await record(roots, poolOf(2, 1, 1).pages(task, NOTHING, cuts))).to.deep.equal(expected);
  });

  it('tell what stops them, and read the next unit all the same', async () => {
    growTree(folder, seededRandom(4));
    const pool = poolOf(2, 2, 4);
    const missing = { roots: [{ path: 'tree', parent: join(folder, 'nowhere') }], mounts: new Map() };
    const failure = await record(missing.roots, pool.pages(missing, NOTHING, ['tree/b'])).catch((error: unknown) => error);
    expect((failure as { code: string }).code).to.equal('io_error');
    const task = { roots: rootIn(folder), mounts: new Map() };
    const expected = await record(task.roots, inlinePages(task, excludePaths([])));
    expect(await record(task.roots, pool.pages(task, NOTHING, ['tree/b']))).to.deep.equal(expected);
  });

  describe('of which some die', () => {
    let started: ReturnType<typeof startWorker>[];
    /** How many threads the system gives. */
    let allowed: number;

    const mortalPool = (): ReaderPool => {
      started = [];
      const pool = new ReaderPool({ readers: 2, pages: 1, pageRows: 4 }, (slot) => {
        if (allowed-- <= 0) throw Object.assign(new Error('Resource temporarily unavailable'), { code: 'ERR_WORKER_INIT_FAILED' });
        const worker = startWorker('read', { ...slot });
        started.push(worker);
        return worker;
      });
      pools.push(pool);
      return pool;
    };

    beforeEach(() => {
      allowed = Number.POSITIVE_INFINITY;
    });

    it('fail that unit with a cause, wherever it is, and read the next ones all the same', async () => {
      const all = growTree(folder, seededRandom(3));
      const cuts = [...new Set(all)].sort(comparePaths).filter((_, index) => index % 5 === 0);
      const task = { roots: rootIn(folder), mounts: new Map() };
      const expected = await record(task.roots, inlinePages(task, excludePaths([])));
      const pool = mortalPool();
      for (let when = 0; when < 8; when++) {
        let pages = 0;
        let failure: unknown;
        try {
          for await (const page of pool.pages(task, NOTHING, cuts)) {
            expect(page.count).to.be.at.most(4);
            if (pages++ === when) await started.at(-1 - (when % 2))?.terminate();
          }
        } catch (error) {
          failure = error;
        }
        // One that has done its part is not missed.
        if (failure !== undefined) expect((failure as Error).message, `page ${when}`).to.contain('a reader thread ended');
        expect(await record(task.roots, pool.pages(task, NOTHING, cuts)), `page ${when}`).to.deep.equal(expected);
      }
      expect(started.length).to.be.at.least(5);
    }).timeout(60_000);

    it('or that the system refuses, leave it to the others, and to this thread where there is none', async () => {
      growTree(folder, seededRandom(8));
      const task = { roots: rootIn(folder), mounts: new Map() };
      const expected = await record(task.roots, inlinePages(task, excludePaths([])));
      for (const count of [1, 0]) {
        allowed = count;
        expect(await record(task.roots, mortalPool().pages(task, NOTHING, ['tree/a1', 'tree/b']))).to.deep.equal(expected);
        expect(started).to.have.length(count);
      }
    });
  });

  it('take no answer of one unit for one of another', async () => {
    const thread: FakeThread<ToReader, FromReader> = new FakeThread();
    const pool = new ReaderPool({ readers: 1, pages: 1, pageRows: 1 }, () => thread);
    const task = { roots: rootIn(folder), mounts: new Map() };
    const first = pool.pages(task, NOTHING, []).next();
    await settled();
    thread.say({ type: 'failed', unit: 1, code: 'io_error', message: 'the first' });
    expect(await failureOf(() => first)).to.include({ message: 'the first' });
    let state = 'pending';
    const second = pool.pages(task, NOTHING, []).next();
    second.catch(() => {
      state = 'failed';
    });
    await settled();
    thread.say({ type: 'failed', unit: 1, code: 'io_error', message: 'late' });
    thread.say({ type: 'idle', unit: 1 });
    await settled();
    expect(state).to.equal('pending');
    thread.end(new Error('dead'));
    expect(await failureOf(() => second)).to.include({ message: 'a reader thread ended: dead' });
  });

  it('stop when nobody wants the rest', async () => {
    const all = growTree(folder, seededRandom(5));
    const pool = poolOf(2, 1, 1);
    const task = { roots: rootIn(folder), mounts: new Map() };
    const before = readdirSync('/proc/self/fd').length;
    for await (const page of pool.pages(task, NOTHING, [...new Set(all)].sort(comparePaths))) {
      expect(page.count).to.be.at.most(1);
      break;
    }
    // All threads of a process share its descriptors; the pool itself keeps none.
    await pool.stop();
    expect(readdirSync('/proc/self/fd').length).to.be.at.most(before);
  });
});
