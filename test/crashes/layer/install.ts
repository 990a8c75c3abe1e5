/** The layer below the core that sees each call that changes something, for `node --import`; in the main thread alone. */
import { isMainThread } from 'node:worker_threads';
import { watchFiles } from './file-changes.ts';
import { watchLibc } from './libc-changes.ts';
import { isWatched, MEETING } from './watching.ts';

if (isMainThread) {
  watchLibc(MEETING, isWatched);
  watchFiles(MEETING, isWatched);
}
