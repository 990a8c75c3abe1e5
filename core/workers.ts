import { getAsset, isSea } from 'node:sea';
import { type MessagePort, type Transferable, Worker, type WorkerOptions } from 'node:worker_threads';

/** What a worker thread can be; `core/worker-main.ts` knows the module of each. */
export type WorkerRole = 'pack' | 'read' | 'write' | 'range';

/**
 * The bundle that worker threads run, beside the program's own and an asset of the single executable: without the front ends and
 * the schemas, which each thread would keep a copy of.
 */
export const WORKER_BUNDLE = 'worker.cjs';

/** The asset of the single executable with the few lines that start a thread's bundle, which has no file to name there. */
export const WORKER_START = 'worker-start.cjs';

const ENTRY = `${import.meta.dirname}/${import.meta.filename.endsWith('.ts') ? 'worker-main.ts' : WORKER_BUNDLE}`;

/**
 * In megabytes. A thread makes few objects that live long: a larger nursery would only keep the buffers of finished frames
 * from being given back.
 */
const YOUNG_GENERATION = 3;

/** How long the end of a thread, or of the process, waits for a thread that loads, in milliseconds: one that takes longer never comes to an end of it. */
const LOADS_WITHIN = 5000;

/** Of each thread that lives, the memory in which it says (1) that it has loaded its code and native parts. */
const living = new Map<Worker, Int32Array>();

function waitUntilLoaded(threads: Iterable<Int32Array>): void {
  const end = performance.now() + LOADS_WITHIN;
  for (const loaded of threads) Atomics.wait(loaded, 0, 0, Math.max(0, end - performance.now()));
}

process.on('exit', () => waitUntilLoaded(living.values()));

/** A thread that is ended while it loads a native part takes the whole process with it (SIGABRT). So its end waits until it has. */
class Thread extends Worker {
  constructor(entry: string, options: WorkerOptions) {
    const loaded = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    super(entry, { ...options, workerData: { ...options.workerData, loaded } });
    living.set(this, loaded);
    this.once('exit', () => living.delete(this));
  }

  override terminate(): Promise<number> {
    const loaded = living.get(this);
    if (loaded !== undefined) waitUntilLoaded([loaded]);
    return super.terminate();
  }
}

/**
 * Starts a thread of this program in a role. The role's module finds `data` and the role in `workerData` of
 * `node:worker_threads`. Works from source, from the bundle and inside the single executable.
 */
export function startWorker(
  role: WorkerRole,
  data: Readonly<Record<string, unknown>> = {},
  transferList: readonly Transferable[] = [],
): Worker {
  const options = {
    workerData: { ...data, role },
    transferList: [...transferList],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  };
  return isSea() ? new Thread(getAsset(WORKER_START, 'utf8'), { ...options, eval: true }) : new Thread(ENTRY, options);
}

/**
 * For a thread: what it was told is lost when a message cannot be read, and whoever waits for it would wait for ever. So the thread ends,
 * which is heard.
 */
export function endAtUnreadable(port: MessagePort): void {
  port.on('messageerror', (error) => {
    throw error;
  });
}
