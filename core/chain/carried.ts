import { ChainIndex } from './chain-index.ts';
import { keepNeeded } from './retention-guards.ts';
import { type ChainSnapshot, takenAt } from './snapshot.ts';

const DAY = 86_400_000;

/** At which times before a decision is looked back, in days: nightly prunes that miss one or two nights find what they would have found. */
const LOOKS_BACK = [0.25, 1, 2, 3];

/** Up to this age, in days, the newest snapshot is the state of its unit, and not merely the last one before a pause. */
const FRESH = 2;

/**
 * The ids of the snapshots that no rule wanted for themselves a short time before `moment`, and that stayed because what lies on them was
 * wanted, or was the state of the unit. When the last of a chain expires, all below it goes with it: that is how retention goes on every
 * week, and nobody is to be asked. What only a guard kept then, after a pause or by another policy, is not among them. `sorted` is
 * oldest first; `keepByRules` tells which of some snapshots rules keep at a time.
 */
export function carriedUntil(
  sorted: readonly ChainSnapshot[],
  moment: Temporal.Instant,
  keepByRules: (then: readonly ChainSnapshot[], at: Temporal.Instant, keep: (id: string) => void) => void,
): ReadonlySet<string> {
  const carried = new Set<string>();
  for (const days of LOOKS_BACK) {
    const at = moment.epochMilliseconds - days * DAY;
    const then = sorted.filter((snapshot) => takenAt(snapshot) <= at);
    const wanted = new Set<string>();
    keepByRules(then, Temporal.Instant.fromEpochMilliseconds(at), (id) => wanted.add(id));
    const state = then.at(-1);
    if (state !== undefined && takenAt(state) >= at - FRESH * DAY) wanted.add(state.id);
    keepNeeded(
      then,
      new ChainIndex(then),
      (id) => wanted.has(id),
      (id) => void (wanted.has(id) || carried.add(id)),
    );
  }
  return carried;
}
