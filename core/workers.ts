import { getAsset, isSea } from 'node:sea';
import { type MessagePort, type Transferable, Worker } from 'node:worker_threads';

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
  return isSea() ? new Worker(getAsset(WORKER_START, 'utf8'), { ...options, eval: true }) : new Worker(ENTRY, options);
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
