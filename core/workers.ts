import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';

/** What a worker thread can be; `core/main.ts` knows the module of each. */
export type WorkerRole = 'pack' | 'read' | 'write';

/** The asset of the single executable that holds the program's own source. */
export const PROGRAM_ASSET = 'apiscp-backup.cjs';

// In the bundle this file is the program itself; run from source, the entry stands beside it.
const ENTRY = import.meta.filename.endsWith('.ts') ? `${import.meta.dirname}/main.ts` : import.meta.filename;

/**
 * In megabytes. A thread makes few objects that live long: a larger nursery would only keep the buffers of finished frames
 * from being given back.
 */
const YOUNG_GENERATION = 3;

/**
 * Starts a thread of this program in a role. The role's module finds `data` and the role in `workerData` of
 * `node:worker_threads`. Works from source, from the bundle and inside the single executable, which has no file to name.
 */
export function startWorker(role: WorkerRole, data: Readonly<Record<string, unknown>> = {}): Worker {
  const options = { workerData: { ...data, role }, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } };
  return isSea() ? new Worker(getAsset(PROGRAM_ASSET, 'utf8'), { ...options, eval: true }) : new Worker(ENTRY, options);
}
