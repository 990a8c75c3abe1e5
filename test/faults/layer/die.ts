import { isMainThread } from 'node:worker_threads';

/** Ends this thread as nothing else could: in a worker the thread alone, in the main thread the process. */
export function die(): never {
  if (isMainThread) process.kill(process.pid, 'SIGKILL');
  process.exit(1);
}
