import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { decompressFrame } from '../../../core/archive/frame.ts';
import { Failure } from '../../../core/failure.ts';
import { type Batch, Control, type FromWorker, OpenAs, type ToWorker } from '../../../core/scan/pack/batch.ts';
import type { PackSink, UnitPacking } from '../../../core/scan/pack/unit-packing.ts';
import { WorkerPool } from '../../../core/scan/pack/worker-pool.ts';
import { ReadEntriesBuilder } from '../../../core/scan/read/read-entries.ts';
import { startWorker } from '../../../core/workers.ts';
import { failureOf } from '../../failure-of.ts';
import { FakeThread, settled } from '../fake-thread.ts';

type Fake = FakeThread<ToWorker, FromWorker>;

const EMPTY: Batch = { directories: [], directoryOf: new Uint32Array(0), names: [], paths: [], openAs: new Uint8Array(0) };

/** Keeps what it is given. */
class KeptFrames implements PackSink {
  readonly frames: string[] = [];
  failure: Error | undefined;

  async append(pack: number, frame: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.frames.push(`${pack}:${Buffer.from(frame).toString()}`);
  }

  async close(pack: number): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.frames.push(`${pack} ends`);
  }
}

/** What a fake thread has in hand: the batches that it has not answered. */
function inHand(thread: Fake): { unit: number; number: number }[] {
  return thread.received.filter((message) => message.type === 'batch');
}

function done(thread: Fake, unit: number, number: number): void {
  thread.received.splice(
    thread.received.findIndex((message) => message.type === 'batch' && message.unit === unit && message.number === number),
    1,
  );
  thread.say({ type: 'done', unit, number, entries: new ReadEntriesBuilder(0).finish().entries, tarBytes: 0 });
}

function frameOf(unit: number, frame: number, text: string): FromWorker {
  return { type: 'frame', unit, pack: 1, frame, bytes: Uint8Array.from(Buffer.from(text)), decompressedLength: 512 };
}

describe('the workers of a run', () => {
  let threads: Fake[];
  let pool: WorkerPool;
  let sink: KeptFrames;

  const begin = (): UnitPacking => pool.begin({ packNames: { before: 'p', after: '.tar.zst' }, known: [], sink });

  beforeEach(() => {
    threads = [];
    sink = new KeptFrames();
    pool = new WorkerPool(2, undefined, () => {
      const thread: Fake = new FakeThread();
      threads.push(thread);
      return thread;
    });
  });

  /** What became of an answer so far. */
  const outcome = (answer: Promise<unknown>): { state: string } => {
    const seen = { state: 'pending' };
    answer.then(
      () => {
        seen.state = 'done';
      },
      (error: Failure) => {
        seen.state = error.code;
      },
    );
    return seen;
  };

  it('are started with the first batch, and given two batches each', async () => {
    const packing = begin();
    expect(threads).to.have.length(0);
    const answers = Array.from({ length: 5 }, () => packing.read(EMPTY));
    expect(threads.map((thread) => inHand(thread).length)).to.deep.equal([2, 2]);
    done(threads[1] as Fake, 1, 4);
    expect(threads.map((thread) => inHand(thread).length)).to.deep.equal([2, 2]);
    await answers[3];
    for (const thread of threads) for (const { number } of inHand(thread)) done(thread, 1, number);
    await Promise.all(answers);
    await packing.end();
    expect(threads.map(({ received }) => received.at(-1)?.type)).to.deep.equal(['end', 'end']);
  });

  it('never count an answer, a frame or the end of a pack of one unit for another (case 43)', async () => {
    const first = begin();
    const lost = outcome(first.read(EMPTY));
    const ended = first.end();
    const [thread] = threads as [Fake];
    thread.say({ type: 'failed', unit: 1, number: 1, code: 'cancelled', message: '' });
    await ended;
    sink = new KeptFrames();
    const second = begin();
    const answer = outcome(second.read(EMPTY));
    thread.say(frameOf(1, 0, 'late'));
    thread.say({ type: 'full', unit: 1, pack: 1 });
    done(thread, 1, 1);
    await settled();
    expect([lost.state, answer.state, ...sink.frames]).to.deep.equal(['cancelled', 'pending']);
    thread.say(frameOf(2, 0, 'own'));
    done(thread, 2, 1);
    await settled();
    expect([answer.state, ...sink.frames]).to.deep.equal(['done', '1:own']);
    await second.end();
  });

  it('refuse a unit before the one before has ended', async () => {
    const first = begin();
    void first.read(EMPTY);
    expect(await failureOf(begin)).to.include({ code: 'internal' });
  });

  it('fail nobody before the last of them has let go', async () => {
    const packing = begin();
    const answers = Array.from({ length: 6 }, () => outcome(packing.read(EMPTY)));
    const [one, two] = threads as [Fake, Fake];
    sink.failure = new Failure('disk_full', 'full');
    one.say(frameOf(1, 0, 'x'));
    await settled();
    expect(answers.map(({ state }) => state)).to.deep.equal(Array(6).fill('pending'));
    for (const { number } of inHand(one)) one.say({ type: 'failed', unit: 1, number, code: 'cancelled', message: '' });
    await settled();
    expect(answers.map(({ state }) => state)).to.deep.equal(Array(6).fill('pending'));
    for (const { number } of inHand(two)) done(two, 1, number);
    await settled();
    // With what went wrong first, whatever the workers answered.
    expect(answers.map(({ state }) => state)).to.deep.equal(Array(6).fill('disk_full'));
    await packing.end();
  });

  it('store nothing of a unit that failed, and free the room of its frames', async () => {
    const packing = begin();
    void packing.read(EMPTY);
    const [thread] = threads as [Fake];
    const { control } = (thread.received[0] as ToWorker & { type: 'unit' }).task;
    const numbers = new Int32Array(control);
    Atomics.store(numbers, Control.framesUnderWay, 2);
    packing.cancel();
    expect(Atomics.load(numbers, Control.isCancelled)).to.equal(1);
    thread.say(frameOf(1, 0, 'x'));
    thread.say(frameOf(1, 1, 'y'));
    await settled();
    expect(sink.frames).to.deep.equal([]);
    expect(Atomics.load(numbers, Control.framesUnderWay)).to.equal(0);
    thread.say({ type: 'failed', unit: 1, number: 1, code: 'cancelled', message: '' });
    await packing.end();
  });

  it('refuse a frame that is not the next one of its pack', async () => {
    const packing = begin();
    const answer = outcome(packing.read(EMPTY));
    const [thread] = threads as [Fake];
    thread.say(frameOf(1, 1, 'x'));
    done(thread, 1, 1);
    await settled();
    expect([answer.state, ...sink.frames]).to.deep.equal(['proof_failed']);
  });

  for (const [how, error, code] of [
    ['by an error', new Error('out of memory'), 'internal'],
    ['without a word', undefined, 'internal'],
  ] as const) {
    it(`that die ${how} fail their unit, and are replaced for the next`, async () => {
      const packing = begin();
      const answers = [outcome(packing.read(EMPTY)), outcome(packing.read(EMPTY))];
      threads[0]?.end(error);
      await settled();
      expect(answers.map(({ state }) => state)).to.deep.equal(['pending', 'pending']);
      done(threads[1] as Fake, 1, 2);
      await settled();
      expect(answers.map(({ state }) => state)).to.deep.equal([code, code]);
      await packing.end();
      const second = begin();
      const next = [outcome(second.read(EMPTY)), outcome(second.read(EMPTY))];
      expect(threads).to.have.length(3);
      done(threads[1] as Fake, 2, 1);
      done(threads[2] as Fake, 2, 2);
      await settled();
      expect(next.map(({ state }) => state)).to.deep.equal(['done', 'done']);
      await second.end();
    });
  }

  it('that die with nothing in hand are not missed', async () => {
    const packing = begin();
    const first = packing.read(EMPTY);
    done(threads[0] as Fake, 1, 1);
    await first;
    threads[0]?.end();
    const second = outcome(packing.read(EMPTY));
    done(threads.find((thread) => inHand(thread).length > 0) as Fake, 1, 2);
    await settled();
    expect(second.state).to.equal('done');
    await packing.end();
  });

  it('of which the system gives fewer do all of it, and of which it gives none end the unit with the cause', async () => {
    let allowed = 1;
    const few = new WorkerPool(3, undefined, () => {
      if (allowed-- <= 0) throw Object.assign(new Error('Resource temporarily unavailable'), { code: 'ERR_WORKER_INIT_FAILED' });
      const thread: Fake = new FakeThread();
      threads.push(thread);
      return thread;
    });
    const packing = few.begin({ packNames: { before: 'p', after: '.tar.zst' }, known: [], sink });
    const answers = [outcome(packing.read(EMPTY)), outcome(packing.read(EMPTY)), outcome(packing.read(EMPTY))];
    for (const number of [1, 2, 3]) done(threads[0] as Fake, 1, number);
    await settled();
    expect(answers.map(({ state }) => state)).to.deep.equal(['done', 'done', 'done']);
    await packing.end();
    threads[0]?.end();
    const without = few.begin({ packNames: { before: 'p', after: '.tar.zst' }, known: [], sink });
    const failure = await failureOf(() => without.read(EMPTY));
    expect(failure).to.include({ code: 'io_error', retry: true });
    expect(failure.message).to.match(/^no thread could be started: .*Resource temporarily unavailable/);
    await without.end();
  });

  it('begin a unit in a pause that has begun before it', async () => {
    pool.pause();
    const packing = begin();
    void packing.read(EMPTY);
    const { control } = ((threads[0] as Fake).received[0] as ToWorker & { type: 'unit' }).task;
    expect(Atomics.load(new Int32Array(control), Control.paused)).to.equal(1);
    pool.resume();
    expect(Atomics.load(new Int32Array(control), Control.paused)).to.equal(0);
    packing.cancel();
  });

  it('keep their units apart in every order of answers, failures and deaths', async () => {
    const step = fc.record({ what: fc.constantFrom('read', 'done', 'failed', 'frame', 'late', 'sink', 'die', 'next'), which: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        threads = [];
        let unit = 1;
        sink = new KeptFrames();
        let packing = begin();
        let frames = 0;
        let answers: { state: string }[] = [];
        const alive = (): Fake[] => threads.filter(({ isOver }) => !isOver);
        const ofUnit = (): [Fake, number][] =>
          alive().flatMap((thread) =>
            inHand(thread).flatMap((batch): [Fake, number][] => (batch.unit === unit ? [[thread, batch.number]] : [])),
          );
        const isTold = (): boolean => answers.some(({ state }) => state !== 'pending' && state !== 'done');
        const fail = ([thread, number]: [Fake, number]): void => {
          thread.received.splice(
            thread.received.findIndex((message) => message.type === 'batch' && message.unit === unit && message.number === number),
            1,
          );
          thread.say({ type: 'failed', unit, number, code: 'cancelled', message: '' });
        };
        for (const { what, which } of steps) {
          const hands = ofUnit();
          const chosen = hands[which % Math.max(1, hands.length)];
          if (what === 'read') answers.push(outcome(packing.read(EMPTY)));
          else if (what === 'done' && chosen !== undefined) done(chosen[0], unit, chosen[1]);
          else if (what === 'failed' && chosen !== undefined) fail(chosen);
          else if (what === 'frame' && chosen !== undefined) chosen[0].say(frameOf(unit, frames++, `unit ${unit}`));
          else if (what === 'late') alive()[which % 2]?.say(frameOf(unit - 1, which, `unit ${unit - 1}`));
          else if (what === 'sink') sink.failure = new Failure('disk_full', 'full');
          else if (what === 'die') alive()[which % 2]?.end(which % 3 === 0 ? new Error('dead') : undefined);
          else if (what === 'next') {
            const ended = packing.end();
            for (const each of ofUnit()) fail(each);
            await ended;
            await settled();
            expect(answers.filter(({ state }) => state === 'pending')).to.deep.equal([]);
            expect(sink.frames.every((frame) => frame === `1:unit ${unit}`)).to.equal(true);
            unit++;
            sink = new KeptFrames();
            packing = begin();
            frames = 0;
            answers = [];
          }
          await settled();
          // Whoever hears of a failure may close what the workers read from.
          if (isTold()) expect(ofUnit()).to.deep.equal([]);
        }
        const ended = packing.end();
        for (const each of ofUnit()) fail(each);
        await ended;
        await settled();
        expect(answers.filter(({ state }) => state === 'pending')).to.deep.equal([]);
        pool = new WorkerPool(2, undefined, () => {
          const thread: Fake = new FakeThread();
          threads.push(thread);
          return thread;
        });
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);
});

describe('real worker threads', function () {
  this.timeout(60_000);
  const FILES = 12;
  let folder: string;
  let pool: WorkerPool;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-workers-'));
    pool = new WorkerPool(2, undefined);
  });

  afterEach(async () => {
    await pool.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Packs some files, a batch each; what came of it, and the tar that the sink was given. */
  async function pack(unit: string, failAt: number, workers = pool): Promise<{ outcome: 'ok' | string; tar: string; calls: number }> {
    const home = join(folder, unit);
    for (let file = 0; file < FILES; file++)
      writeFileSync(join(folder, `${unit}-${file}`), Buffer.concat([Buffer.from(`<${unit}>`), randomBytes(100_000)]));
    const descriptor = openSync(folder, 'r');
    let tar = '';
    let calls = 0;
    const enter = (): void => {
      if (++calls === failAt) throw new Failure('disk_full', home);
    };
    const sink: PackSink = {
      append: async (_, frame, length) => {
        enter();
        tar += decompressFrame(Buffer.from(frame), length).toString('latin1');
      },
      close: async () => enter(),
    };
    const packing = workers.begin({ packNames: { before: unit, after: '.tar.zst' }, known: [], sink });
    try {
      const answers = Array.from({ length: FILES }, (_, file) =>
        packing.read({
          directories: [descriptor],
          directoryOf: new Uint32Array(1),
          names: [`${unit}-${file}`],
          paths: [`${unit}-${file}`],
          openAs: Uint8Array.of(OpenAs.file),
        }),
      );
      await Promise.all(answers);
      await packing.end();
      packing.sent.checkSum();
      return { outcome: 'ok', tar, calls };
    } catch (error) {
      await packing.end();
      return { outcome: (error as Failure).code, tar, calls };
    } finally {
      closeSync(descriptor);
    }
  }

  it('give three units their own, and only that, wherever the sink of one of them fails', async () => {
    const { calls } = await pack('count', 0);
    for (let failAt = 1; failAt <= calls; failAt++) {
      const results = [await pack('one', failAt), await pack('two', 0), await pack('three', failAt + 1)];
      expect(results[1]?.outcome, `call ${failAt}`).to.equal('ok');
      for (const [number, unit] of ['one', 'two', 'three'].entries()) {
        const { tar, outcome } = results[number] as { tar: string; outcome: string };
        for (const [, whose] of tar.matchAll(/<(one|two|three|count)>/g)) expect(whose).to.equal(unit);
        if (outcome === 'ok' && unit === 'two') expect(tar.match(/<two>/g)).to.have.length(FILES);
      }
    }
  });

  it('that are killed in the middle end that unit alone, without a hang or an open file', async () => {
    const started: ReturnType<typeof startWorker>[] = [];
    const mortal = new WorkerPool(2, undefined, () => {
      const worker = startWorker('pack');
      started.push(worker);
      return worker;
    });
    await pack('warm', 0, mortal);
    const before = readdirSync('/proc/self/fd').length;
    for (let delay = 0; delay < 6; delay++) {
      const victim = started.at(-1);
      const packing = pack('one', 0, mortal);
      setTimeout(() => void victim?.terminate(), delay);
      expect((await packing).outcome).to.be.oneOf(['ok', 'internal']);
      const next = await pack('two', 0, mortal);
      expect(next.outcome).to.equal('ok');
      expect(next.tar).to.not.contain('<one>');
    }
    await mortal.stop();
    expect(readdirSync('/proc/self/fd').length).to.be.at.most(before + 2 * 6);
  });
});
