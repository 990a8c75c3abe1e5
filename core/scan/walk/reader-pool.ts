import { type ExcludeRules, excludeMatcherOf } from '../../exclude/exclude-rules.ts';
import { Failure, type FailureCode } from '../../failure.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { startWorker } from '../../workers.ts';
import { PAGES_PER_READER, READERS } from '../limits.ts';
import { PoolThread, type ThreadPort } from '../pool-thread.ts';
import { inlinePages } from './inline-pages.ts';
import { ReadControl } from './reader-control.ts';
import type { FromReader, ReaderSlot, ToReader } from './reader-messages.ts';
import { PAGE_ROWS, RowPage } from './row-page.ts';
import type { ReaderTask } from './tree-reader.ts';

/** How many threads, and the pages that each may be ahead of the comparison. */
export interface ReaderPoolSize {
  readonly readers: number;
  readonly pages: number;
  readonly pageRows: number;
}

const USUAL: ReaderPoolSize = { readers: READERS, pages: PAGES_PER_READER, pageRows: PAGE_ROWS };

interface WorkerSlot {
  readonly thread: PoolThread<ToReader, FromReader>;
  readonly pages: readonly RowPage[];
}

/** One unit's way through the readers: what they agree by, which of them have something in hand, and what went wrong. */
interface Reading {
  readonly unit: number;
  readonly control: ReadControl;
  readonly busy: Set<WorkerSlot>;
  failure: Failure | undefined;
  /** Settles when nobody has anything of the unit in hand. */
  readonly idle: PromiseWithResolvers<void>;
}

/**
 * The threads that list directories and look at entries. Started with the first unit that is worth it, kept for all units of a
 * run, one unit at a time, and replaced when they die.
 */
export class ReaderPool {
  readonly #size: ReaderPoolSize;
  readonly #start: (slot: ReaderSlot) => ThreadPort;
  #slots: readonly (WorkerSlot | undefined)[] = [];
  #units = 0;
  #reading: Reading | undefined;

  /** `start` starts a thread, and throws when there can be none. */
  constructor(size: ReaderPoolSize = USUAL, start: (slot: ReaderSlot) => ThreadPort = (slot) => startWorker('read', { ...slot })) {
    this.#size = size;
    this.#start = start;
  }

  /**
   * What there is to see, as pages in path order. A page is valid until the next one is asked for. `cuts` are the paths, in
   * order, at which another reader goes on. Throws what a reader threw, or what ended one; ending early gives the rest up.
   */
  async *pages(task: ReaderTask, exclude: ExcludeRules, cuts: readonly ByteString[]): AsyncGenerator<RowPage> {
    const { readers, pages: ring } = this.#size;
    this.#slots = Array.from({ length: readers }, (_, number) => this.#living(number));
    const slots = this.#slots.filter((slot) => slot !== undefined);
    if (slots.length === 0) {
      // The system refuses threads. This one can do it, too.
      yield* inlinePages(task, excludeMatcherOf(exclude));
      return;
    }
    const memory = ReadControl.allocate(readers, cuts.length + 1);
    const control = new ReadControl(memory, readers);
    const unit = ++this.#units;
    const reading: Reading = { unit, control, busy: new Set(), failure: undefined, idle: Promise.withResolvers() };
    this.#reading = reading;
    try {
      for (const slot of slots) {
        slot.thread.send({ type: 'unit', unit, reading: { task, exclude, cuts, control: memory } });
        reading.busy.add(slot);
      }
      for (let segment = 0; segment <= cuts.length; segment++) {
        await until(reading, () => control.ownerOf(segment) >= 0);
        const owner = control.ownerOf(segment);
        const { pages } = this.#slots[owner] as WorkerSlot;
        for (let isLast = false; !isLast; ) {
          await until(reading, () => control.filled(owner) > control.used(owner));
          const page = pages[control.used(owner) % ring] as RowPage;
          page.refresh();
          isLast = page.isLast;
          yield page;
          control.countUsed(owner);
        }
      }
    } finally {
      control.cancel();
      if (reading.busy.size > 0) await reading.idle.promise;
    }
  }

  /** Ends the threads. They end by themselves: a terminated one would leave its open descriptors to the process. */
  async stop(): Promise<void> {
    const threads = this.#slots.flatMap((slot) => (slot === undefined ? [] : [slot.thread]));
    for (const thread of threads) thread.send({ type: 'stop' });
    await Promise.all(threads.map(({ ended }) => ended));
    this.#slots = [];
  }

  /** The reader of a number, a new one in the place of one that died; undefined when the system refuses it. */
  #living(number: number): WorkerSlot | undefined {
    const slot = this.#slots[number];
    if (slot !== undefined && !slot.thread.isOver) return slot;
    try {
      return this.#slot(number);
    } catch {
      return undefined;
    }
  }

  #slot(number: number): WorkerSlot {
    const { readers: readerCount, pages: pageCount, pageRows } = this.#size;
    const memory = new SharedArrayBuffer(pageCount * RowPage.byteLength(pageRows));
    const port = this.#start({ number, readerCount, pages: memory, pageCount, pageRows });
    const pages = Array.from({ length: pageCount }, (_, page) => new RowPage(memory, page * RowPage.byteLength(pageRows), pageRows));
    const thread = new PoolThread<ToReader, FromReader>(port, {
      message: (message) => {
        if (message.unit !== this.#reading?.unit) return;
        if (message.type === 'failed') this.#fail(new Failure(message.code as FailureCode, message.message));
        this.#becomeIdle(slot);
      },
      ended: (cause) => {
        // One that had nothing in hand is not missed before the next unit.
        if (this.#reading?.busy.has(slot) === true) {
          this.#fail(new Failure(cause.code, `a reader thread ended: ${cause.message}`, { cause, retry: true }));
        }
        this.#becomeIdle(slot);
      },
    });
    const slot: WorkerSlot = { thread, pages };
    return slot;
  }

  #becomeIdle(slot: WorkerSlot): void {
    const reading = this.#reading;
    if (reading?.busy.delete(slot) === true && reading.busy.size === 0) reading.idle.resolve();
  }

  #fail(failure: Failure): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    reading.failure ??= failure;
    reading.control.reportNews();
  }
}

async function until(reading: Reading, isSo: () => boolean): Promise<void> {
  for (;;) {
    const { news } = reading.control;
    if (reading.failure !== undefined) throw reading.failure;
    if (isSo()) return;
    await reading.control.newsAfter(news);
  }
}
