import { parentPort, workerData } from 'node:worker_threads';
import { endAtUnreadable } from '../../workers.ts';
import { FrameSupply } from '../content/frame-supply.ts';
import { KnownDirectories } from '../directories/known-directories.ts';
import { mappedView } from '../owner/mapped-view.ts';
import { permittedView } from '../owner/owner-policy.ts';
import { Excluded } from '../plan/exclude-rules.ts';
import { openView } from '../plan/manifest-files.ts';
import { Target } from '../target/target.ts';
import { EntryWriter } from '../write/entry-writer.ts';
import type { FromWriter, ToWriter, WriterData, WriteTask } from './write-messages.ts';

/** The life of a writing thread: one task after the other, while frames that they ask for arrive in between. */
export function runWriteWorker(): void {
  const port = parentPort;
  if (port === null) throw new Error('a writing thread needs a parent thread');
  const data = workerData as WriterData;
  const answer = (message: FromWriter): void => port.postMessage(message);
  const supply = new FrameSupply((pack, frame) => answer({ type: 'need', pack, frame }));
  const target = new Target(data.roots, data.rules.owner, new KnownDirectories(data.known));
  const rules = { ...data.rules, exclude: new Excluded(data.rules.exclude) };
  const writer = new EntryWriter(target, permittedView(mappedView(openView(data.manifests), rules.owners), rules.owner), supply, rules);
  const perform = async (number: number, task: WriteTask): Promise<void> => {
    answer({ type: 'done', number, result: await writer.perform(task) });
  };
  // Descriptors belong to the process and outlive the thread.
  const stop = (): void => {
    target.close((problem) => answer({ type: 'left', problem }));
    port.close();
  };
  let last = Promise.resolve();
  endAtUnreadable(port);
  port.on('message', (message: ToWriter) => {
    if (message.type === 'supply') supply.deliver(message);
    else last = last.then(() => (message.type === 'stop' ? stop() : perform(message.number, message.task)));
  });
}
