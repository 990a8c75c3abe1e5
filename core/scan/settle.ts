import type { StatBuffer } from '../linux/stat.ts';

// Kernels stamp changes with the time of the last clock tick: 10 ms apart at most (HZ=100). Some file systems keep whole
// seconds. A change within one tick of our reading would leave the same change time, and the next run would miss it.
const TICK_NANOSECONDS = 40_000_000n;
const COARSE_NANOSECONDS = 1_100_000_000n;

const pause = new Int32Array(new SharedArrayBuffer(4));

/** How long after its change time an entry may be trusted, in nanoseconds. */
function windowOf(ctime: bigint): bigint {
  return ctime % 1_000_000_000n === 0n ? COARSE_NANOSECONDS : TICK_NANOSECONDS;
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/**
 * The racy-clean rule, turned round: instead of reading an entry again next time because it changed in the tick in which
 * it was read, wait until that tick is over and read it then. False when the change time lies in the future, so that
 * waiting would not end: such an entry is marked unsettled and read again by the next run.
 */
export function waitUntilSettled(stat: StatBuffer): boolean {
  const ctime = stat.ctime;
  const age = now() - ctime;
  const window = windowOf(ctime);
  if (age > window) return true;
  if (age < -COARSE_NANOSECONDS) return false;
  Atomics.wait(pause, 0, 0, Number((window - age) / 1_000_000n) + 1);
  return true;
}
