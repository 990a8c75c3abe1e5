import { writeFileSync } from 'node:fs';
import { libc } from './libc.ts';

// setrlimit(2)
const RLIMIT_FSIZE = 1;
const RLIMIT_AS = 9;

/**
 * Takes away from this process what a parent such as the panel's broker put on it: a limit of the size of files and of the address space, and
 * the wish that it be ended first when memory runs out. Whoever may not do so goes on with what there is.
 */
export function liftLimits(): void {
  const unlimited = Buffer.alloc(16, 0xff);
  for (const resource of [RLIMIT_FSIZE, RLIMIT_AS]) libc.setrlimit(resource, unlimited);
  try {
    writeFileSync('/proc/self/oom_score_adj', '0');
  } catch {}
}
