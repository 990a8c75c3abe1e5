/**
 * The layer of faults below the core, for `node --import`: each thread that the process starts loads it as well. Without a
 * fault that is wanted everything passes. With the variable `FAULT` (a `Fault` in JSON) the whole life of the process is under
 * that one; else whoever runs in the process arms `SharedState`.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { wrapBackend } from './backend-faults.ts';
import type { Fault } from './fault.ts';
import { wrapFileCalls } from './file-faults.ts';
import { wrapLibc } from './libc-faults.ts';
import { wrapXattrs, wrapZlib } from './library-faults.ts';
import type { ThreadName } from './points.ts';
import { meeting, SharedState } from './shared-state.ts';
import { wrapThreads } from './thread-faults.ts';

const state = SharedState.get();
const thread: ThreadName = isMainThread ? 'main' : (workerData as { role: ThreadName }).role;
const meet = meeting(state, thread);
wrapLibc(meet);
wrapFileCalls(state, meet);
wrapXattrs(meet);
wrapZlib(meet);
wrapThreads(meet);
if (isMainThread) {
  wrapBackend(meet);
  const { FAULT } = process.env;
  if (FAULT !== undefined) state.arm(JSON.parse(FAULT) as Fault);
}
