import { setTimeout as pause } from 'node:timers/promises';
import { asFailure, Failure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { timedIdStart } from '../repository/ids.ts';
import { type HeldTicket, type LiveTicket, liveTickets, type Ticket } from './record/ticket.ts';

/** So many jobs work at a time. One place is never an owner's, so that an administrator waits for owners as little as can be. */
const AT_ONCE = 3;
const OWNERS_AT_ONCE = AT_ONCE - 1;

/** So many jobs there can be, working and waiting. A waiting one is a process that has loaded nothing. */
const MOST = 40;
const MOST_OF_OWNERS = 30;
const MOST_OF_A_SITE = 3;

/** Between two looks whether it is one's turn, in milliseconds: the first looks often, those behind it less. */
const LOOK_AGAIN = 150;
const LOOK_AT_LEAST = 3000;

/** In milliseconds. Longer than any night. */
const PATIENCE = 24 * 3600 * 1000;

const LOCK = 'job-queue';
const LOCK_MOMENT = 15;
/** Whoever has it for longer has been stopped. */
const LOCK_PATIENCE = 30_000;

/**
 * Does something that nobody else does meanwhile with the queue; it takes a few milliseconds. The lock goes with its process, so that no
 * killed one is in anybody's way.
 */
export async function withQueue<Result>(stateDirectory: string, action: () => Result): Promise<Result> {
  const end = performance.now() + LOCK_PATIENCE;
  for (;;) {
    try {
      const lock = takeLock(stateDirectory, LOCK, 'the queue of jobs');
      try {
        return action();
      } finally {
        lock.release();
      }
    } catch (error) {
      const { code, affected } = asFailure(error);
      if (code !== 'locked' || !affected.includes(LOCK) || performance.now() > end) throw error;
    }
    await pause(LOCK_MOMENT * (0.5 + Math.random()));
  }
}

/** In milliseconds: whoever has waited for so long counts as small, so that small ones that keep coming put nobody off for ever. */
const LONG_WAIT = 10 * 60_000;
const DAY = 86_400_000;

/** An administrator's before an owner's, small before large, then in the order in which they came. */
function orderAt(now: number): (a: Ticket, b: Ticket) => number {
  const longAgo = timedIdStart(new Date(now - LONG_WAIT));
  const toCome = timedIdStart(new Date(now + DAY));
  // One that a clock dated ahead that was put back since: how long it waits nobody knows, and others would pass it until then.
  const isAhead = ({ id }: Ticket): boolean => id > toCome;
  const sizeOf = (ticket: Ticket): number => (ticket.id < longAgo || isAhead(ticket) ? 0 : ticket.size);
  return (a, b) => {
    const owners = Number(a.site !== null) - Number(b.site !== null);
    return owners || sizeOf(a) - sizeOf(b) || Number(isAhead(b)) - Number(isAhead(a)) || (a.id < b.id ? -1 : 1);
  };
}

/** Those that may begin at `now`, of all that live. */
export function nextOf(live: readonly LiveTicket[], now: number): Ticket[] {
  const queued = live.filter(({ isQueued, isHeld }) => isQueued && isHeld);
  const working: Ticket[] = queued.filter(({ isWorking }) => isWorking);
  const chosen: Ticket[] = [];
  for (const ticket of queued.filter(({ isWorking }) => !isWorking).sort(orderAt(now))) {
    const all = [...working, ...chosen];
    if (all.length >= AT_ONCE) break;
    if (ticket.site !== null && all.filter(({ site }) => site !== null).length >= OWNERS_AT_ONCE) continue;
    if (!all.some(({ key }) => key === ticket.key)) chosen.push(ticket);
  }
  return chosen;
}

/** How many waiting ones come before this one. */
function ahead(ticket: Ticket, live: readonly LiveTicket[], now: number): number {
  const compare = orderAt(now);
  return live.filter((other) => other.isQueued && other.isHeld && !other.isWorking && compare(other, ticket) < 0).length;
}

/** Resolves when it is this job's turn, which it has then. `onWait` hears, whenever it changes, how many come before. Throws `cancelled`, `locked`. */
export async function waitForTurn(
  held: HeldTicket,
  {
    stateDirectory,
    signal,
    onWait,
  }: { readonly stateDirectory: string; readonly signal: AbortSignal; readonly onWait: (ahead: number) => void },
): Promise<void> {
  const end = performance.now() + PATIENCE;
  let before = -1;
  for (;;) {
    if (signal.aborted) throw new Failure('cancelled', 'stopped before its turn came');
    const now = await withQueue(stateDirectory, () => {
      const live = liveTickets(stateDirectory);
      const time = Date.now();
      if (!nextOf(live, time).some(({ id }) => id === held.ticket.id)) return ahead(held.ticket, live, time);
      held.work();
      return undefined;
    });
    if (now === undefined) return;
    if (performance.now() > end)
      throw new Failure('locked', 'its turn did not come within a day', { advice: 'See `apiscp-backup jobs`.', retry: true });
    if (now !== before) onWait(now);
    before = now;
    await pause(Math.min(LOOK_AGAIN * (now + 1), LOOK_AT_LEAST) * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {});
  }
}

/** Throws `too_many_jobs` when another job of this asker would be too many. */
export function requireRoom(site: string | null, live: readonly LiveTicket[]): void {
  const queued = live.filter(({ isQueued }) => isQueued);
  const refused = (message: string): Failure =>
    new Failure('too_many_jobs', message, {
      affected: site === null ? [] : [site],
      advice: 'Wait until one has ended, or cancel one.',
      retry: true,
    });
  if (queued.length >= MOST) throw refused(`${queued.length} jobs are waiting or at work`);
  if (site === null) return;
  if (queued.filter((ticket) => ticket.site === site).length >= MOST_OF_A_SITE)
    throw refused(`${MOST_OF_A_SITE} jobs of ${site} are waiting or at work`);
  if (queued.filter((ticket) => ticket.site !== null).length >= MOST_OF_OWNERS) throw refused('many accounts wait for their jobs');
}
