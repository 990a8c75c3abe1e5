import { parentPort } from 'node:worker_threads';
import { Failure } from '../../failure.ts';
import { endAtUnreadable } from '../../workers.ts';
import type { FromWorker, ToWorker } from './batch.ts';
import { FrameBuffer } from './frame-buffer.ts';
import { failedAnswer, UnitWork } from './unit-work.ts';

/**
 * The life of a worker thread: for each batch read the entries, hash, write tar members, compress frames. One message in,
 * its frames and one answer out. Nothing is kept from one unit to the next but memory.
 */
export function runPackWorker(): void {
  const port = parentPort;
  if (port === null) throw new Error('a pack worker needs a parent thread');
  const memory = FrameBuffer.allocate();
  const answer = (message: FromWorker, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);
  let work: UnitWork | undefined;
  endAtUnreadable(port);
  const end = (): void => {
    work?.close();
    work = undefined;
  };
  port.on('message', (message: ToWorker) => {
    if (message.type === 'stop') {
      end();
      port.close();
    } else if (message.type === 'unit') {
      end();
      work = new UnitWork(message.unit, message.task, answer, memory);
    } else if (message.type === 'end') {
      if (work?.unit === message.unit) end();
    } else if (work?.unit === message.unit) {
      if (message.type === 'batch') work.read(message.number, message.batch);
      else work.readStream(message.number, message.stream);
    } else {
      const error = new Failure('internal', 'a worker was given a batch of a unit that it does not serve');
      answer(failedAnswer(message.unit, message.number, error), []);
    }
  });
}
