import type { Worker } from 'node:worker_threads';
import { asFailure, Failure, type FailureCode } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { LeftOutRules } from '../manifest/left-out-rules.ts';
import { startWorker } from '../workers.ts';
import { PAGES_PER_READER, READERS } from './limits.ts';
import { ReadControl } from './read-control.ts';
import type { FromReader, ReaderSeat, ToReader } from './read-messages.ts';
import { PAGE_ROWS, RowPage } from './row-page.ts';
import type { ReaderTask } from './tree-reader.ts';

/** How many threads, and the pages that each may be ahead of the comparison. */
export interface ReaderPoolSize {
  readonly readers: number;
  readonly pages: number;
  readonly pageRows: number;
}

const USUAL: ReaderPoolSize = { readers: READERS, pages: PAGES_PER_READER, pageRows: PAGE_ROWS };

interface Seat {
  readonly worker: Worker;
  readonly pages: readonly RowPage[];
  /** Settles when the thread is over. */
  readonly ended: Promise<void>;
  /** Settles when the reader has nothing in hand. */
  idle: Promise<void>;
  becomeIdle: () => void;
}

/**
 * The threads that list directories and look at entries. Started with the first unit that is worth it, kept for all units of a
 * run, one unit at a time.
 */
export class ReaderPool {
  readonly #size: ReaderPoolSize;
  #seats: readonly Seat[] = [];
  #control: ReadControl | undefined;
  /** What a reader met in this unit, and what ended a thread: nothing can be read after that. */
  #failure: Failure | undefined;
  #defect: Failure | undefined;

  constructor(size: ReaderPoolSize = USUAL) {
    this.#size = size;
  }

  /**
   * What there is to see, as pages in path order. A page is valid until the next one is asked for. `cuts` are the paths, in
   * order, at which another reader goes on. Throws what a reader threw; ending early gives the rest up.
   */
  async *pages(task: ReaderTask, leftOut: LeftOutRules, cuts: readonly ByteString[]): AsyncGenerator<RowPage> {
    const { readers, pages: ring } = this.#size;
    if (this.#defect !== undefined) throw this.#defect;
    if (this.#seats.length === 0) this.#seats = Array.from({ length: readers }, (_, number) => this.#seat(number));
    const memory = ReadControl.allocate(readers, cuts.length + 1);
    const control = new ReadControl(memory, readers);
    this.#control = control;
    this.#failure = undefined;
    for (const seat of this.#seats) {
      seat.idle = new Promise((resolve) => {
        seat.becomeIdle = resolve;
      });
      send(seat.worker, { type: 'unit', reading: { task, leftOut, cuts, control: memory } });
    }
    try {
      for (let segment = 0; segment <= cuts.length; segment++) {
        await this.#until(control, () => control.ownerOf(segment) >= 0);
        const owner = control.ownerOf(segment);
        const { pages } = this.#seats[owner] as Seat;
        for (let isLast = false; !isLast; ) {
          await this.#until(control, () => control.filled(owner) > control.used(owner));
          const page = pages[control.used(owner) % ring] as RowPage;
          page.refresh();
          isLast = page.isLast;
          yield page;
          control.countUsed(owner);
        }
      }
    } finally {
      control.giveUp();
      await Promise.all(this.#seats.map(({ idle }) => idle));
    }
  }

  /** Ends the threads. They end by themselves: a terminated one would leave its open descriptors to the process. */
  async stop(): Promise<void> {
    for (const { worker } of this.#seats) send(worker, { type: 'stop' });
    await Promise.all(this.#seats.map(({ ended }) => ended));
    this.#seats = [];
  }

  #seat(number: number): Seat {
    const { readers: readerCount, pages: pageCount, pageRows } = this.#size;
    const memory = new SharedArrayBuffer(pageCount * RowPage.byteLength(pageRows));
    const data: ReaderSeat = { number, readerCount, pages: memory, pageCount, pageRows };
    const worker = startWorker('read', { ...data });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const pages = Array.from({ length: pageCount }, (_, page) => new RowPage(memory, page * RowPage.byteLength(pageRows), pageRows));
    const seat: Seat = { worker, pages, ended, idle: Promise.resolve(), becomeIdle: () => {} };
    worker.on('message', (message: FromReader) => {
      if (message.type === 'failed') this.#fail(new Failure(message.code as FailureCode, message.message));
      seat.becomeIdle();
    });
    const end = (failure: Failure): void => {
      this.#defect ??= failure;
      this.#fail(failure);
      seat.becomeIdle();
    };
    worker.on('error', (error) => end(asFailure(error)));
    worker.on('exit', () => end(new Failure('internal', 'a reader thread ended')));
    return seat;
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#control?.tellNews();
  }

  async #until(control: ReadControl, isSo: () => boolean): Promise<void> {
    for (;;) {
      const news = control.news;
      if (this.#failure !== undefined) throw this.#failure;
      if (isSo()) return;
      await control.newsAfter(news);
    }
  }
}

function send(worker: Worker, message: ToReader): void {
  worker.postMessage(message);
}
