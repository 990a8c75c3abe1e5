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

/**
 * The racy-clean rule, turned round: instead of reading an entry again next time because it changed in the tick in which
 * it was read, wait until that tick is over and read it then. `future` when the change time lies ahead, so that waiting
 * would not end: such an entry is marked unsettled and read again by the next run.
 */
export function waitUntilSettled(stat: StatBuffer): 'settled' | 'waited' | 'future' {
  const milliseconds = Date.now();
  // Nearly every entry: no need for more than the low word of the seconds, which lasts until 2106.
  if (stat.words[25] === 0 && (stat.words[24] as number) < milliseconds / 1000 - 2) return 'settled';
  const ctime = stat.ctime;
  const age = BigInt(milliseconds) * 1_000_000n - ctime;
  const window = windowOf(ctime);
  if (age > window) return 'settled';
  if (age < -COARSE_NANOSECONDS) return 'future';
  Atomics.wait(pause, 0, 0, Number((window - age) / 1_000_000n) + 1);
  return 'waited';
}
