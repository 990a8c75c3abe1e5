import { isMainThread, workerData } from 'node:worker_threads';
import type { WorkerRole } from './workers.ts';

/** The life of each worker role, loaded in its thread only. */
const ROLES: Record<WorkerRole, () => Promise<() => void>> = {
  pack: async () => (await import('./scan/pack-worker.ts')).runPackWorker,
  read: async () => (await import('./scan/read-worker.ts')).runReadWorker,
  write: async () => (await import('./restore/write-worker.ts')).runWriteWorker,
};

async function work(role: WorkerRole): Promise<void> {
  const live = await ROLES[role]();
  live();
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === '--version') {
    const { PROGRAM } = await import('./version.ts');
    process.stdout.write(`${PROGRAM.version}\n`);
    return;
  }
  const { runCli } = await import('./cli/main.ts');
  process.exitCode = await runCli(args, {
    serveRpc: async (settingsFile) => (await import('./rpc/main.ts')).runRpc(settingsFile),
  });
}

// No top-level await: the bundle is CommonJS.
if (isMainThread) void main(process.argv.slice(2));
else void work((workerData as { role: WorkerRole }).role);
