import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { failureOf } from '../failure-of.ts';

async function collect(backend: Backend, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of backend.list(prefix)) names.push(name);
  return names.sort();
}

async function store(backend: Backend, name: string, content: Uint8Array | string = 'x'): Promise<void> {
  const writer = await backend.create(name);
  await writer.write(Buffer.from(content));
  await writer.commit();
}

/** What every backend promises. `open` gives one whose place is absent; `close` takes away what it left. */
export function backendConformance(title: string, open: () => Promise<Backend>, close: () => Promise<void>): void {
  describe(`the backend ${title}`, () => {
    let backend: Backend;

    beforeEach(async () => {
      backend = await open();
    });

    afterEach(close);

    it('tells an absent, an empty and an occupied place apart', async () => {
      expect(await backend.inspect()).to.equal('absent');
      await backend.prepare();
      expect(await backend.inspect()).to.equal('empty');
      await backend.prepare();
      await store(backend, 'a', 'x');
      expect(await backend.inspect()).to.equal('occupied');
    });

    it('says of an object that was never stored that it is not there', async () => {
      await backend.prepare();
      expect(await backend.size('a/b')).to.equal(undefined);
      expect(await failureOf(() => backend.read('a/b'))).to.include({ code: 'repository_damaged' });
      expect(await failureOf(() => backend.read('a/b', 0, 0))).to.include({ code: 'repository_damaged' });
      expect(await collect(backend, '')).to.deep.equal([]);
      expect(await backend.folders('a')).to.deep.equal([]);
      await backend.remove('a/b');
    });

    describe('with a place', () => {
      beforeEach(() => backend.prepare());

      it('proves that it can be written to, where it offers that, and has nothing of it afterwards', async () => {
        await store(backend, 'servers/s/a', 'x');
        await backend.tryWriting?.('servers/s');
        expect(await collect(backend, '')).to.deep.equal(['servers/s/a']);
        expect(await backend.folders('servers')).to.deep.equal(['s']);
      });

      it('gives back what was written in many chunks, whole and in parts', async () => {
        const chunks = [randomBytes(1), Buffer.alloc(0), randomBytes(1_000_000), randomBytes(4097)];
        const writer = await backend.create('servers/s/packs/p.tar.zst');
        for (const chunk of chunks) await writer.write(chunk);
        await writer.commit();
        const content = Buffer.concat(chunks);
        const name = 'servers/s/packs/p.tar.zst';
        expect(await backend.size(name)).to.equal(content.length);
        expect((await backend.read(name)).equals(content)).to.equal(true);
        expect((await backend.read(name, 999_000, 5000)).equals(content.subarray(999_000, 1_004_000))).to.equal(true);
        expect((await backend.read(name, content.length, 0)).length).to.equal(0);
      });

      it('gives back an object of many parts', async () => {
        const chunk = randomBytes(1_500_000);
        const writer = await backend.create('p');
        for (let count = 0; count < 20; count++) await writer.write(chunk);
        await writer.commit();
        expect(await backend.size('p')).to.equal(30_000_000);
        expect((await backend.read('p', 16_500_000, 3_000_000)).equals(Buffer.concat([chunk, chunk]))).to.equal(true);
        const late = await backend.create('p');
        for (let count = 0; count < 7; count++) await late.write(chunk);
        expect(await failureOf(() => late.commit())).to.include({ code: 'object_exists' });
        await late.abort();
        expect(await backend.size('p')).to.equal(30_000_000);
        const dropped = await backend.create('q');
        for (let count = 0; count < 7; count++) await dropped.write(chunk);
        await dropped.abort();
        expect(await collect(backend, '')).to.deep.equal(['p']);
      });

      it('opens an object for reading without waiting', async () => {
        const content = randomBytes(700_000);
        await store(backend, 'a/b', content);
        const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
        try {
          const access = backend.openDirectly('a/b', content.length, folder);
          expect(access.size).to.equal(content.length);
          for (const [offset, length] of [
            [699_990, 10],
            [0, 3],
            [100_000, 400_000],
            [0, 700_000],
            [5, 0],
          ] as const) {
            expect(access.read(offset, length).equals(content.subarray(offset, offset + length)), `${length} from ${offset}`).to.equal(
              true,
            );
          }
          expect(await failureOf(async () => access.read(699_990, 11))).to.include({ code: 'repository_damaged' });
          access.close();
          const missing = await failureOf(async () => backend.openDirectly('a/c', 5, folder).read(0, 1));
          expect(missing).to.include({ code: 'repository_damaged' });
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      it('keeps what a caller does to its buffers afterwards out of the object', async () => {
        const chunk = Buffer.from('before');
        const writer = await backend.create('a');
        await writer.write(chunk);
        chunk.fill('x');
        await writer.commit();
        const first = await backend.read('a');
        first.fill('y');
        expect((await backend.read('a')).toString()).to.equal('before');
      });

      it('puts an object in the place of another at once, when that is asked for, and leaves the other when it is dropped', async () => {
        await store(backend, 'a/b', 'damaged');
        const dropped = await backend.create('a/b', 'replacing');
        await dropped.write(Buffer.from('half'));
        await dropped.abort();
        expect((await backend.read('a/b')).toString()).to.equal('damaged');
        const writer = await backend.create('a/b', 'replacing');
        await writer.write(Buffer.from('healed'));
        expect((await backend.read('a/b')).toString()).to.equal('damaged');
        await writer.commit();
        expect((await backend.read('a/b')).toString()).to.equal('healed');
        const first = await backend.create('a/new', 'replacing');
        await first.commit();
        expect(await backend.size('a/new')).to.equal(0);
      });

      it('gives whole what is no longer than the limit, and says of the rest that it is missing or too long', async () => {
        await store(backend, 'servers/s/a', 'abc');
        await store(backend, 'servers/s/none', '');
        expect((await backend.readWhole('servers/s/a', 3)).toString()).to.equal('abc');
        expect((await backend.readWhole('servers/s/a', 1000)).toString()).to.equal('abc');
        expect((await backend.readWhole('servers/s/none', 0)).length).to.equal(0);
        for (const [name, limit] of [
          ['servers/s/a', 2],
          ['servers/s/a', 0],
          ['servers/s/b', 3],
          ['servers/t/b', 3],
        ] as const) {
          expect(await failureOf(() => backend.readWhole(name, limit)), `${name} ${limit}`).to.include({ code: 'repository_damaged' });
        }
      });

      it('gives an object the longest name that one may have, with each character that is permitted', async () => {
        const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.';
        const name = `${signs}/_-.${'x'.repeat(197)}/-._`;
        await store(backend, name, 'abc');
        expect(await collect(backend, '')).to.deep.equal([name]);
        expect((await backend.read(name)).toString()).to.equal('abc');
        expect(await backend.size(name)).to.equal(3);
        await backend.remove(name);
        expect(await backend.size(name)).to.equal(undefined);
      });

      it('removes of what nobody finished only what is old, and nothing that is being written', async () => {
        const writer = await backend.create('servers/s/packs/p');
        await writer.write(Buffer.from('x'));
        expect(await backend.discardUnfinished('servers/s')).to.equal(0);
        expect(await backend.discardAbandoned(Date.now() - 60_000)).to.equal(0);
        expect(await backend.discardUnfinished('servers/nobody')).to.equal(0);
        await writer.commit();
        expect((await backend.read('servers/s/packs/p')).toString()).to.equal('x');
      });

      it('lists what stood there all the time, once, while others come and go', async () => {
        const kept = Array.from({ length: 3 }, (_, number) => `servers/s/kept/${number}`);
        for (const name of kept) await store(backend, name);
        const listed: string[] = [];
        let number = 0;
        for await (const { name } of backend.list('servers/s/')) {
          listed.push(name);
          if (number > 3) continue;
          await store(backend, `servers/s/new/${number}`);
          if (number > 0) await backend.remove(`servers/s/new/${number - 1}`);
          number++;
        }
        // What came and went may be there or not.
        expect(listed.filter((name) => name.startsWith('servers/s/kept/')).sort()).to.deep.equal(kept);
        expect(new Set(listed).size).to.equal(listed.length);
      });

      it('keeps an object without bytes', async () => {
        await (await backend.create('a')).commit();
        expect(await backend.size('a')).to.equal(0);
        expect((await backend.read('a')).length).to.equal(0);
      });

      for (const [offset, length] of [
        [0, 4],
        [4, 1],
        [3, 1],
        [-1, 1],
        [0, -1],
        [0, Number.MAX_SAFE_INTEGER],
        [2 ** 52, 1],
      ] as const) {
        it(`refuses to read ${length} bytes from ${offset} of three`, async () => {
          await store(backend, 'a', 'abc');
          expect(await failureOf(() => backend.read('a', offset, length))).to.include({ code: 'repository_damaged' });
        });
      }

      it('shows an object only after its commit', async () => {
        const writer = await backend.create('a/b');
        await writer.write(Buffer.from('x'));
        expect(await backend.size('a/b')).to.equal(undefined);
        expect(await collect(backend, '')).to.deep.equal([]);
        expect(await backend.inspect()).to.equal('empty');
        await writer.commit();
        expect(await collect(backend, '')).to.deep.equal(['a/b']);
        await writer.abort();
        expect(await backend.size('a/b')).to.equal(1);
      });

      it('forgets an object that was aborted, so that its name is free', async () => {
        const writer = await backend.create('a');
        await writer.write(Buffer.from('x'));
        await writer.abort();
        await writer.abort();
        expect(await failureOf(() => writer.write(Buffer.from('x')))).to.include({ code: 'internal' });
        expect(await failureOf(() => writer.commit())).to.include({ code: 'internal' });
        expect(await backend.size('a')).to.equal(undefined);
        await store(backend, 'a', 'y');
        expect(await backend.discardAbandoned(Date.now() + 60_000)).to.equal(0);
      });

      it('never replaces an object', async () => {
        await store(backend, 'a', 'first');
        const late = await backend.create('a');
        await late.write(Buffer.from('second'));
        expect(await failureOf(() => late.commit())).to.include({ code: 'object_exists' });
        await late.abort();
        expect((await backend.read('a')).toString()).to.equal('first');
      });

      it('lets exactly one of many writers of one name win, whole', async () => {
        const writers = await Promise.all(Array.from({ length: 8 }, () => backend.create('a/b')));
        await Promise.all(writers.map((writer, index) => writer.write(Buffer.alloc(100_000, index))));
        const outcomes = await Promise.allSettled(writers.map((writer) => writer.commit()));
        const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        expect((await backend.read('a/b')).equals(Buffer.alloc(100_000, won))).to.equal(true);
        await Promise.all(writers.map((writer) => writer.abort()));
      });

      it('lists by the beginning of the name, also in the middle of a component', async () => {
        for (const name of ['a', 'b/a', 'b/b/c', 'bb/x', 'b/ab']) await store(backend, name, name);
        expect(await collect(backend, '')).to.deep.equal(['a', 'b/a', 'b/ab', 'b/b/c', 'bb/x']);
        expect(await collect(backend, 'b')).to.deep.equal(['b/a', 'b/ab', 'b/b/c', 'bb/x']);
        expect(await collect(backend, 'b/')).to.deep.equal(['b/a', 'b/ab', 'b/b/c']);
        expect(await collect(backend, 'b/a')).to.deep.equal(['b/a', 'b/ab']);
        expect(await collect(backend, 'c/')).to.deep.equal([]);
        expect((await backend.folders('b')).sort()).to.deep.equal(['b']);
      });

      it('says how large and how old an object is', async () => {
        const before = Date.now();
        await store(backend, 'a', 'abc');
        for await (const { size, modified } of backend.list('')) {
          expect(size).to.equal(3);
          // Clocks of storage may be coarse or a little off.
          expect(modified).to.be.within(before - 5000, Date.now() + 5000);
        }
      });

      it('removes an object, and a missing one, too', async () => {
        await store(backend, 'a/b', 'x');
        await store(backend, 'a/c', 'y');
        await backend.remove('a/b');
        await backend.remove('a/b');
        await backend.remove('nowhere/b');
        expect(await collect(backend, '')).to.deep.equal(['a/c']);
        await store(backend, 'a/b', 'again');
        expect((await backend.read('a/b')).toString()).to.equal('again');
      });

      for (const name of [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '..',
        'a/../b',
        '.',
        './a',
        '.incoming/x',
        '.hidden',
        'a b',
        'a\0',
        'ü',
        `${'x'.repeat(300)}`,
        'a\\b',
        'a:b',
      ]) {
        it(`refuses the name ${JSON.stringify(name.slice(0, 20))} in every call`, async () => {
          const calls = [
            () => backend.create(name),
            () => backend.read(name),
            () => backend.size(name),
            () => backend.remove(name),
            () => backend.folders(name),
          ];
          for (const call of calls) expect(await failureOf(call)).to.include({ code: 'unsafe_path' });
        });
      }
    });
  });
}
