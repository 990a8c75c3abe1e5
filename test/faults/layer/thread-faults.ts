import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread, type MessagePort, parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { die } from './die.ts';
import type { Deed } from './shared-state.ts';

type Meet = (call: string) => () => Deed | undefined;
type Post = (message: unknown, transfer?: readonly ArrayBuffer[]) => void;

let living = 0;

/** How many threads of this process have not ended. */
export function livingThreads(): number {
  return living;
}

/** Has threads not start, and messages end the thread that sends or gets them. */
export function wrapThreads(meet: Meet): void {
  const meetMessage = meet('thread.postMessage');
  if (!isMainThread) {
    wrapPort(parentPort as MessagePort, meetMessage);
    return;
  }
  const meetStart = meet('thread.start');
  class FaultyWorker extends Worker {
    constructor(file: string | URL, options?: WorkerOptions) {
      const deed = meetStart();
      if (deed?.action === 'defect') throw new TypeError('a defect at the start of a thread');
      // As Node says when the system refuses a thread.
      if (deed?.action === 'errno') throw Object.assign(new Error(deed.errno), { code: 'ERR_WORKER_INIT_FAILED' });
      super(file, options);
      living++;
      this.on('exit', () => living--);
      if (deed?.action === 'kill') void this.terminate();
    }

    override postMessage(...args: Parameters<Worker['postMessage']>): void {
      const deed = meetMessage();
      if (deed?.action === 'kill') void this.terminate();
      else if (deed !== undefined) throw new TypeError('a defect at a message');
      else super.postMessage(...args);
    }
  }
  threads.Worker = FaultyWorker;
  syncBuiltinESMExports();
}

function wrapPort(port: MessagePort, meet: () => Deed | undefined): void {
  const post = port.postMessage.bind(port) as Post;
  port.postMessage = ((message, transfer) => {
    const deed = meet();
    if (deed?.action === 'kill') die();
    if (deed !== undefined) throw new TypeError('a defect at a message');
    post(message, transfer);
  }) as Post as MessagePort['postMessage'];
}
