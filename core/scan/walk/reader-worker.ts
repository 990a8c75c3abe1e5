import { parentPort, workerData } from 'node:worker_threads';
import { excludeMatcherOf } from '../../exclude/exclude-rules.ts';
import { asFailure } from '../../failure.ts';
import { endAtUnreadable } from '../../workers.ts';
import { ReadControl } from './reader-control.ts';
import type { FromReader, ReaderSlot, ToReader, UnitReading } from './reader-messages.ts';
import { RowPage } from './row-page.ts';
import { TreeReader } from './tree-reader.ts';

/** The life of a reader thread: of each unit it takes segments, one after the other, and fills its pages with what it sees. */
export function runReadWorker(): void {
  const port = parentPort;
  if (port === null) throw new Error('a reader needs a parent thread');
  const slot = workerData as ReaderSlot;
  endAtUnreadable(port);
  const { pages: memory, pageCount, pageRows } = slot;
  const pages = Array.from({ length: pageCount }, (_, page) => new RowPage(memory, page * RowPage.byteLength(pageRows), pageRows));
  port.on('message', (message: ToReader) => {
    if (message.type === 'stop') {
      port.close();
      return;
    }
    const { unit } = message;
    let answer: FromReader = { type: 'idle', unit };
    try {
      readUnit(message.reading, slot, pages);
    } catch (error) {
      const { code, message: text } = asFailure(error);
      answer = { type: 'failed', unit, code, message: text };
    }
    port.postMessage(answer);
  });
}

function readUnit(reading: UnitReading, slot: ReaderSlot, pages: readonly RowPage[]): void {
  const { task, exclude, cuts } = reading;
  const control = new ReadControl(reading.control, slot.readerCount);
  const reader = new TreeReader(task, excludeMatcherOf(exclude));
  try {
    for (let segment = control.takeSegment(); segment <= cuts.length; segment = control.takeSegment()) {
      control.own(segment, slot.number);
      reader.begin({ from: segment === 0 ? undefined : cuts[segment - 1], to: cuts[segment] });
      for (let hasMore = true; hasMore; ) {
        if (!control.waitForRoom(slot.number, pages.length)) return;
        const page = pages[control.filled(slot.number) % pages.length] as RowPage;
        page.clear();
        hasMore = reader.fill(page);
        page.isLast = !hasMore;
        control.countFilled(slot.number);
      }
    }
  } finally {
    reader.close();
  }
}
