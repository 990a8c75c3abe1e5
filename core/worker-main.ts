import { workerData } from 'node:worker_threads';
import type { WorkerRole } from './workers.ts';

/** The life of each worker role, loaded in its thread only. */
const ROLES: Record<WorkerRole, () => Promise<() => void>> = {
  pack: async () => (await import('./scan/pack/pack-worker.ts')).runPackWorker,
  read: async () => (await import('./scan/walk/reader-worker.ts')).runReadWorker,
  range: async () => (await import('./repository/backends/range-worker.ts')).runRangeWorker,
  write: async () => (await import('./restore/threads/write-worker.ts')).runWriteWorker,
};

interface Start {
  readonly role: WorkerRole;
  /** Becomes 1 when all is loaded: from then on the thread may be ended. */
  readonly loaded: Int32Array;
}

async function work({ role, loaded }: Start): Promise<void> {
  try {
    const live = await ROLES[role]();
    live();
  } finally {
    Atomics.store(loaded, 0, 1);
    Atomics.notify(loaded, 0);
  }
}

// No top-level await: the bundle is CommonJS.
void work(workerData as Start);
