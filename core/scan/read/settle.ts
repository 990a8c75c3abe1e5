import type { StatBuffer } from '../../linux/stat.ts';
import { word } from '../../manifest/format/columns.ts';

// Kernels stamp changes with the time of the last clock tick: 10 ms apart at most (HZ=100). Some file systems keep whole
// seconds. A change within one tick of our reading would leave the same change time, and the next run would miss it.
const TICK_NANOSECONDS = 40_000_000n;
const COARSE_NANOSECONDS = 1_100_000_000n;

/** What a unit's worker waits for in all: more would let whoever touches files all the time hold up the backup. */
const PATIENCE_MILLISECONDS = 60_000;

/** How long a worker may still wait for entries of one unit to settle. */
export class Patience {
  #left = PATIENCE_MILLISECONDS;

  /** Whether there is patience for that long a wait, which is then used up. */
  spend(milliseconds: number): boolean {
    if (milliseconds > this.#left) return false;
    this.#left -= milliseconds;
    return true;
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** How long after its change time an entry may be trusted, in nanoseconds. */
function windowOf(ctime: bigint): bigint {
  return ctime % 1_000_000_000n === 0n ? COARSE_NANOSECONDS : TICK_NANOSECONDS;
}

/**
 * The racy-clean rule, turned round: instead of reading an entry again next time because it changed in the tick in which
 * it was read, wait until that tick is over and read it then. `unsettled` when the change time lies ahead, so that waiting
 * would not end, or no patience is left: such an entry is marked and read again by the next run.
 */
export function waitUntilSettled(stat: StatBuffer, patience: Patience): 'settled' | 'waited' | 'unsettled' {
  const milliseconds = Date.now();
  // Nearly every entry: no need for more than the low word of the seconds, which lasts until 2106.
  if (stat.words[25] === 0 && word(stat.words, 24) < milliseconds / 1000 - 2) return 'settled';
  const ctime = stat.ctime;
  const age = BigInt(milliseconds) * 1_000_000n - ctime;
  const window = windowOf(ctime);
  if (age > window) return 'settled';
  if (age < -COARSE_NANOSECONDS) return 'unsettled';
  const wait = Number((window - age) / 1_000_000n) + 1;
  if (!patience.spend(wait)) return 'unsettled';
  Atomics.wait(pause, 0, 0, wait);
  return 'waited';
}
