import { expect } from 'chai';
import type { Store } from '../../core/repository/backends/backend.ts';
import { LimitedStore } from '../../core/repository/backends/limited-store.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { failureOf } from '../failure-of.ts';

describe('a store of which few things are asked at a time', () => {
  let underWay: number;
  let most: number;
  let order: string[];
  let store: Store;

  beforeEach(async () => {
    [underWay, most, order] = [0, 0, []];
    const memory = new MemoryBackend();
    await memory.prepare();
    for (const name of ['a/1', 'a/2', 'a/3']) {
      const writer = await memory.create(name);
      await writer.write(Buffer.from(name));
      await writer.commit();
    }
    // Each call takes a while, and is counted.
    store = new Proxy(memory, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function' || name === 'list') return typeof value === 'function' ? value.bind(target) : value;
        return async (...args: unknown[]) => {
          most = Math.max(most, ++underWay);
          order.push(String(args[0]));
          try {
            await new Promise((resolve) => setTimeout(resolve, 1));
            return await (value as (...all: unknown[]) => unknown).apply(target, args);
          } finally {
            underWay--;
          }
        };
      },
    });
  });

  it('is asked in turn, in the order of the questions, and never more', async () => {
    for (const limit of [1, 3]) {
      most = 0;
      order = [];
      const limited = new LimitedStore(store, limit);
      const names = Array.from({ length: 20 }, (_, number) => `a/${1 + (number % 3)}`);
      const read = await Promise.all(names.map((name) => limited.read(name)));
      expect(read.map(String)).to.deep.equal(names);
      expect(order).to.deep.equal(names);
      expect(most).to.equal(limit);
    }
  });

  it('gives its turn on when something fails', async () => {
    const limited = new LimitedStore(store, 1);
    const answers = await Promise.all([
      failureOf(() => limited.read('a/none')),
      limited.size('a/1'),
      failureOf(() => limited.readWhole('a/1', 1)),
      limited.folders('a'),
      limited.read('a/2'),
    ]);
    expect(answers[0]).to.include({ code: 'repository_damaged' });
    expect(answers[1]).to.equal(3);
    expect(String(answers[4])).to.equal('a/2');
    expect(most).to.equal(1);
  });

  it('lets whoever goes through a listing, or writes several objects side by side, ask meanwhile', async () => {
    const limited = new LimitedStore(store, 1);
    const writers = [await limited.create('b/1'), await limited.create('b/2')];
    for (const writer of writers) await writer.write(Buffer.from('text'));
    const found: string[] = [];
    for await (const { name } of limited.list('a/')) found.push((await limited.read(name)).toString());
    for (const writer of writers) await writer.commit();
    expect(found.sort()).to.deep.equal(['a/1', 'a/2', 'a/3']);
    await limited.remove('b/1');
    expect(await limited.size('b/1')).to.equal(undefined);
    expect((await limited.read('b/2')).toString()).to.equal('text');
  });

  it('breaks a listing off that nobody goes on with', async () => {
    const limited = new LimitedStore(store, 1);
    for await (const { name } of limited.list('a/')) if (name !== '') break;
    expect(await limited.size('a/1')).to.equal(3);
  });
});
