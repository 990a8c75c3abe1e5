import { startWorker } from '../core/workers.ts';

// Of eight threads the first that has loaded its code fails, and ends the process, while others still load theirs.
for (let number = 0; number < 8; number++) startWorker('range');
