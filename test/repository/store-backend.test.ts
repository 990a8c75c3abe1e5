import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import type { Store } from '../../core/repository/backends/backend.ts';
import { CountingStore } from '../../core/repository/backends/counting-store.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { operate } from '../../core/repository/backends/operation.ts';
import { Endurance, type Patience } from '../../core/repository/backends/retry.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { Traffic } from '../../core/repository/backends/traffic.ts';
import { failureOf } from '../failure-of.ts';

const QUICK: Patience = { first: 1, longest: 4, total: 60_000, quiet: 5000 };

function passing(): Failure {
  return new Failure('repository_unreachable', 'it does not answer', { retry: true });
}

describe('a store as a backend', () => {
  let memory: MemoryBackend;
  /** What the next calls fail with, one after the other. */
  let failures: Failure[];
  let calls: number;
  let store: Store;

  beforeEach(async () => {
    memory = new MemoryBackend();
    await memory.prepare();
    for (const name of ['a/1', 'a/2', 'a/3']) {
      const writer = await memory.create(name);
      await writer.write(Buffer.from(name));
      await writer.commit();
    }
    failures = [];
    calls = 0;
    const meet = (): void => {
      calls++;
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
    };
    store = Object.assign(Object.create(memory) as Store, {
      read: async (...args: Parameters<Store['read']>) => {
        meet();
        return memory.read(...args);
      },
      async *list(prefix: string) {
        for await (const object of memory.list(prefix)) {
          yield object;
          meet();
        }
      },
    });
  });

  const open = (patience = QUICK): StoreBackend => new StoreBackend(store, () => Buffer.alloc(0), patience);

  it('repeats what fails in passing, until it goes well', async () => {
    failures = [passing(), passing(), passing()];
    expect((await open().read('a/1')).toString()).to.equal('a/1');
    expect(calls).to.equal(4);
  });

  it('does not repeat what will fail again, nor what a full disk refuses', async () => {
    for (const [code, retry] of [
      ['repository_refused', false],
      ['disk_full', true],
    ] as const) {
      calls = 0;
      failures = [new Failure(code, 'no', { retry })];
      expect(await failureOf(() => open().read('a/1'))).to.include({ code });
      expect(calls, code).to.equal(1);
    }
  });

  it('ends with the last failure when its patience is over', async () => {
    failures = Array.from({ length: 1000 }, passing);
    expect(await failureOf(() => open({ ...QUICK, total: 0 }).read('a/1'))).to.include({ code: 'repository_unreachable' });
    expect(calls).to.equal(1);
  });

  it('counts its patience from the first failure on, and anew when something went well: what takes long has used up nothing', async () => {
    const short = { ...QUICK, total: 20 };
    let attempts = 0;
    const slow = Object.assign(Object.create(store) as Store, {
      read: async (...args: Parameters<Store['read']>) => {
        await wait(40);
        return store.read(...args);
      },
      async *list(prefix: string) {
        const furthest = ++attempts;
        let number = 0;
        for await (const object of memory.list(prefix)) {
          await wait(40);
          yield object;
          // Each attempt comes one further.
          if (++number === furthest) throw passing();
        }
      },
    });
    failures = [passing()];
    expect((await new StoreBackend(slow, () => Buffer.alloc(0), short).read('a/1')).toString()).to.equal('a/1');
    const names: string[] = [];
    for await (const { name } of new StoreBackend(slow, () => Buffer.alloc(0), short).list('a/')) names.push(name);
    expect(names).to.have.length(3);
  });

  it('tells each object once when a listing breaks off and begins anew', async () => {
    failures = [passing(), passing()];
    const names: string[] = [];
    for await (const { name } of open().list('a/')) names.push(name);
    expect(names.sort()).to.deep.equal(['a/1', 'a/2', 'a/3']);
    expect(failures).to.deep.equal([]);
  });

  it('says what it tries again, once for a while', async () => {
    failures = [passing(), passing(), passing()];
    const told: string[] = [];
    const operation = { signal: new AbortController().signal, notify: ({ message }: { message: string }) => told.push(message) };
    await operate(operation, () => open({ ...QUICK, quiet: 0 }).read('a/1'));
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/^it does not answer; trying again for at most 60 seconds$/);
  });

  it('ends when nobody waits for it any more', async () => {
    failures = Array.from({ length: 1000 }, passing);
    const controller = new AbortController();
    const operation = { signal: controller.signal, notify: () => {} };
    const reading = failureOf(() => operate(operation, () => open({ ...QUICK, first: 60_000, longest: 60_000 }).read('a/1')));
    setTimeout(() => controller.abort(), 20);
    expect(await reading).to.include({ code: 'cancelled' });
    expect(calls).to.equal(1);
  });

  it('is waited for by all together no longer than is bounded, and again as long once it answers', async () => {
    const endurance = new Endurance();
    const backend = open({ ...QUICK, total: 40, endurance });
    failures = Array.from({ length: 100_000 }, passing);
    const began = calls;
    for (let request = 0; request < 100; request++) {
      expect(await failureOf(() => backend.read('a/1'))).to.include({ code: 'repository_unreachable' });
    }
    const tried = calls - began;
    // Each would be tried a dozen times by itself; the later ones not at all.
    for (let request = 0; request < 100; request++) await failureOf(() => backend.read('a/1'));
    expect(calls - began).to.equal(tried);
    // Those that began together give up once.
    expect(endurance.share(2)).to.equal(1);
    failures = [];
    endurance.answered();
    expect((await backend.read('a/1')).toString()).to.equal('a/1');
    expect(endurance.share(2)).to.equal(2);
  });

  it('answers when it refuses', async () => {
    const endurance = new Endurance();
    endurance.gaveUp(passing(), 0);
    expect(endurance.share(2)).to.equal(1);
    failures = [new Failure('repository_refused', 'no')];
    expect(await failureOf(() => open({ ...QUICK, endurance }).read('a/1'))).to.include({ code: 'repository_refused' });
    expect(endurance.share(2)).to.equal(2);
  });

  it('has what is asked counted, repetitions too, for the operation that asks and no other', async () => {
    failures = [passing(), passing()];
    const traffic = new Traffic();
    const asked = (place: Store) => new StoreBackend(new CountingStore(place), () => Buffer.alloc(0), QUICK);
    await operate({ traffic, signal: new AbortController().signal, notify: () => {} }, async () => {
      expect((await asked(store).read('a/1')).toString()).to.equal('a/1');
      const writer = await asked(memory).create('b');
      await writer.write(Buffer.alloc(5));
      await writer.commit();
      await asked(memory).remove('b');
    });
    await asked(memory).size('a/1');
    expect(traffic.stats).to.deep.equal({
      requests: 5,
      byKind: { read: 3, size: 0, list: 0, write: 1, remove: 1, other: 0 },
      bytesSent: 5,
      bytesReceived: 3,
    });
  });
});
