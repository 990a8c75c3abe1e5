import { workerData } from 'node:worker_threads';
import type { WorkerRole } from './workers.ts';

/** The life of each worker role, loaded in its thread only. */
const ROLES: Record<WorkerRole, () => Promise<() => void>> = {
  pack: async () => (await import('./scan/pack/pack-worker.ts')).runPackWorker,
  read: async () => (await import('./scan/walk/reader-worker.ts')).runReadWorker,
  range: async () => (await import('./repository/backends/range-worker.ts')).runRangeWorker,
  write: async () => (await import('./restore/threads/write-worker.ts')).runWriteWorker,
};

async function work(role: WorkerRole): Promise<void> {
  const live = await ROLES[role]();
  live();
}

// No top-level await: the bundle is CommonJS.
void work((workerData as { role: WorkerRole }).role);
