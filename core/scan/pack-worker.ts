import { parentPort } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './batch.ts';
import { ContentStore } from './content-store.ts';
import { EntryReader } from './entry-reader.ts';
import { PackOutput } from './pack-output.ts';
import { ReadEntriesBuilder } from './read-entries.ts';
import { UnitContents } from './unit-contents.ts';

/**
 * The life of a worker thread: for each batch read the entries, hash, write tar members, compress frames. One message in,
 * its frames and one answer out.
 */
export function runPackWorker(): void {
  const port = parentPort;
  if (port === null) throw new Error('a pack worker needs a parent thread');
  const output = new PackOutput(port);
  let known: UnitContents | undefined;
  let store = new ContentStore(output, known);
  let reader = new EntryReader(store);
  const answer = (message: FromWorker, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);
  port.on('message', (message: ToWorker) => {
    if (message.type === 'stop') {
      known?.close();
      port.close();
    } else if (message.type === 'unit') {
      known?.close();
      known = message.task.known.length === 0 ? undefined : new UnitContents(message.task.known);
      output.begin(message.task);
      store = new ContentStore(output, known);
      reader = new EntryReader(store);
    } else {
      const { batch } = message;
      const results = new ReadEntriesBuilder(batch.names.length);
      try {
        output.closeFullPack();
        reader.read(batch, results);
        output.frames.flush();
        const { entries, transfer } = results.finish();
        answer({ type: 'done', number: batch.number, entries }, transfer);
      } catch (error) {
        const { code, message: text } = error as { code?: string; message: string };
        answer({ type: 'failed', number: batch.number, code: code ?? 'internal', message: text }, []);
      }
    }
  });
}
