import { Worker } from 'node:worker_threads';
import { SharedInput } from './shared-input.ts';
import type { Message, Order } from './worker.ts';

/** How long one input may take, in milliseconds: far more than any does on a busy machine. */
const TIME_LIMIT = 20_000;
/** By how much one input may make this process grow, in bytes. */
const MEMORY_LIMIT = 1024 ** 3;
/** Of the worker's objects, in megabytes. */
const HEAP_LIMIT = 400;
/** Milliseconds between two looks. */
const INTERVAL = 100;

/** An input that a target did not take well. */
export interface Crash {
  /** Undefined: the one that the worker was at. */
  readonly target: string | undefined;
  readonly verdict: string;
  readonly input: Buffer;
}

export interface Outcome {
  readonly crashes: readonly Crash[];
  /** New inputs that made something run which none before had. */
  readonly kept: readonly Buffer[];
  readonly rounds: number;
  readonly coverage: number;
}

/** Runs a worker to its end, or ends it when an input takes too long or too much memory, which is a crash like others. */
export async function watch(order: Omit<Order, 'memory'>): Promise<Outcome> {
  const shared = new SharedInput();
  const workerData: Order = { ...order, memory: shared.memory };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT },
    execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
  });
  const crashes: Crash[] = [];
  const kept: Buffer[] = [];
  let end = { rounds: 0, coverage: 0 };
  const crashed = (verdict: string, input: Buffer, target?: string): void => void crashes.push({ target, verdict, input });
  worker.on('message', (message: Message) => {
    if (message.type === 'crash') crashed(message.verdict, Buffer.from(message.input), message.target);
    else if (message.type === 'kept') kept.push(Buffer.from(message.input));
    else end = message;
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('error', (error) => crashed(`it ended the thread: ${String(error)}`, shared.current));
    worker.on('exit', () => resolve());
  });
  let round = 0;
  let since = Date.now();
  let memory = process.memoryUsage.rss();
  const timer = setInterval(() => {
    const used = process.memoryUsage.rss();
    if (shared.round !== round) {
      round = shared.round;
      since = Date.now();
      memory = used;
    }
    const isSlow = round > 0 && Date.now() - since > TIME_LIMIT;
    if (!isSlow && used - memory < MEMORY_LIMIT) return;
    clearInterval(timer);
    crashed(isSlow ? `it takes longer than ${TIME_LIMIT} ms` : `it takes ${used - memory} bytes of memory`, shared.current);
    void worker.terminate();
  }, INTERVAL);
  await ended;
  clearInterval(timer);
  return { crashes, kept, ...end, rounds: end.rounds || shared.round };
}
