import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { type Store, StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';

const QUICK: Patience = { first: 1, longest: 4, total: 60_000 };

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

  it('tells each object once when a listing breaks off and begins anew', async () => {
    failures = [passing(), passing()];
    const names: string[] = [];
    for await (const { name } of open().list('a/')) names.push(name);
    expect(names.sort()).to.deep.equal(['a/1', 'a/2', 'a/3']);
    expect(failures).to.deep.equal([]);
  });
});
