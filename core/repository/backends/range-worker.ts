import { type MessagePort, workerData } from 'node:worker_threads';
import { asFailure } from '../../failure.ts';
import type { Backend } from './backend.ts';
import { openStore } from './open-store.ts';
import { operate } from './operation.ts';
import type { RangeAnswer, RangeRequest, RangeThreadData } from './range-thread.ts';
import { Traffic } from './traffic.ts';

/** The life of the thread that reads stretches of objects for one that waits. */
export function runRangeWorker(): void {
  const { settings, port, answers } = workerData as RangeThreadData;
  const backend = openStore(settings);
  const answer = (message: RangeAnswer): void => {
    send(port, message);
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  };
  port.on('message', (request: RangeRequest) => {
    void readRange(backend, request).then(answer);
  });
}

/** Whoever waits cannot be told anything. */
const SILENT = { signal: new AbortController().signal, notify: () => {} };

async function readRange(backend: Promise<Backend>, { name, offset, length }: RangeRequest): Promise<RangeAnswer> {
  const traffic = new Traffic();
  try {
    const bytes = await operate({ ...SILENT, traffic }, async () => (await backend).read(name, offset, length));
    // A small Buffer shares its memory with others.
    const isAlone = bytes.buffer.byteLength === bytes.length;
    return { bytes: isAlone ? new Uint8Array(bytes.buffer as ArrayBuffer) : new Uint8Array(bytes), stats: traffic.stats };
  } catch (error) {
    const { code, message, affected, retry } = asFailure(error);
    return { failure: { code, message, affected, retry }, stats: traffic.stats };
  }
}

function send(port: MessagePort, message: RangeAnswer): void {
  port.postMessage(message, 'bytes' in message ? [message.bytes.buffer] : []);
}
