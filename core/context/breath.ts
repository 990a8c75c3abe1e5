import { setImmediate } from 'node:timers/promises';

/** In milliseconds: so long a thread may work without a look at what else has come. */
const LONGEST = 20;

let last = performance.now();

/** Whether this thread has worked for so long that others wait. It costs nothing that counts, however often it is asked. */
export function isBreathDue(): boolean {
  return performance.now() - last > LONGEST;
}

/**
 * Lets messages, signals and other requests in. What awaits nothing but what is there already, as all that a local disk gives is, would keep them out to
 * its end.
 */
export async function breath(): Promise<void> {
  await setImmediate();
  last = performance.now();
}
