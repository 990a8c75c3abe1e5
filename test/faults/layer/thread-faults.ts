import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread, type MessagePort, parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { die } from './die.ts';
import type { Deed } from './shared-state.ts';

type Meet = (call: string) => () => Deed | undefined;
type Post = (message: unknown, transfer?: readonly ArrayBuffer[]) => void;

/** Stands for a message that cannot be read where it arrives. */
const UNREADABLE = 'a message that a test made unreadable';

let living = 0;

/** How many threads of this process have not ended. */
export function livingThreads(): number {
  return living;
}

function unreadable(): Error {
  return new TypeError('a message could not be read');
}

/** Has threads not start, messages arrive unreadable, and messages end the thread that sends or gets them. */
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
      else if (deed?.action === 'drop') super.postMessage(UNREADABLE);
      else if (deed !== undefined) throw new TypeError('a defect at a message');
      else super.postMessage(...args);
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      return args[0] === UNREADABLE ? super.emit('messageerror', unreadable()) : super.emit(event, ...args);
    }
  }
  threads.Worker = FaultyWorker;
  syncBuiltinESMExports();
}

function wrapPort(port: MessagePort, meet: () => Deed | undefined): void {
  const on = port.on.bind(port) as (event: string, listener: (value: unknown) => void) => MessagePort;
  port.on = ((event: string, listener: (value: unknown) => void) => {
    if (event !== 'message') return on(event, listener);
    return on(event, (message) => void (message === UNREADABLE ? port.emit('messageerror', unreadable()) : listener(message)));
  }) as MessagePort['on'];
  const post = port.postMessage.bind(port) as Post;
  port.postMessage = ((message, transfer) => {
    const deed = meet();
    if (deed?.action === 'kill') die();
    if (deed?.action === 'drop') return post(UNREADABLE);
    if (deed !== undefined) throw new TypeError('a defect at a message');
    post(message, transfer);
  }) as Post as MessagePort['postMessage'];
}
