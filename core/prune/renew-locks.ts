import { createHash } from 'node:crypto';
import type { LockRule } from '../config/object-lock.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ObjectLock, ObjectLocks } from '../repository/backends/backend.ts';
import { eachOf } from '../repository/each-of.ts';
import type { KnownLocks } from './known-locks.ts';
import type { NeededObject } from './needed-objects.ts';

/** Nothing is locked for longer ahead, in milliseconds: what is kept for years is renewed, so that somebody can still change the rules. */
const LONGEST = 90 * 86_400_000;
const AT_ONCE = 8;
/** What so many objects are refused for is not asked of all. */
const MOST_REFUSED = 10;
/** What was done is noted after so many objects. */
const NOTED_EVERY = 2000;

/** What was done about the locks of a server's objects. */
export interface RenewedLocks {
  /** How many objects are to be locked. */
  readonly objects: number;
  /** Of how many the store was asked how they are locked. */
  readonly asked: number;
  readonly extended: number;
  /** When the first of these locks ends, in milliseconds since 1970; Infinity: there are none. */
  readonly soonest: number;
  /** What the store refused of single objects. */
  readonly problems: readonly Failure[];
}

/** How renewing is done. */
export interface Renewal {
  readonly known: KnownLocks;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
  /** Keeps what is known so far. */
  readonly save: () => void;
}

/** An object whose lock is too short. */
interface Due {
  readonly object: NeededObject;
  readonly lock: ObjectLock | undefined;
}

/**
 * Has the store lock each object as long as it is needed, at least for the period of the rule and at most for three months ahead. A lock is extended when
 * between a half and three quarters of that are left, depending on the name: so locks that began together are renewed on different days. The ones that end
 * first come first; broken off, the next time goes on. Throws `repository_refused` when the store does not keep what it is told.
 */
export async function renewLocks(needed: readonly NeededObject[], locks: ObjectLocks, renewal: Renewal): Promise<RenewedLocks> {
  const work = new Work(locks, renewal);
  try {
    const due = await work.lookAt(needed);
    await work.extend(due);
  } finally {
    renewal.save();
  }
  const { asked, extended, problems, ends } = work;
  return { objects: needed.length, asked, extended, problems, soonest: earliest(ends.values()) };
}

/** Until when an object is locked that is needed until `wanted`. */
export function lockedUntil(wanted: number, { period }: LockRule, now: number): number {
  const until = Math.min(Math.max(wanted, now + period), now + Math.max(LONGEST, period));
  return Math.floor(until / 1000) * 1000;
}

/** Whether too little is left of a lock. */
export function isTooShort(name: string, until: number, target: number, now: number): boolean {
  const spread = createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32;
  return until - now < (target - now) * (0.5 + spread / 4);
}

function earliest(times: Iterable<number>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const time of times) first = Math.min(first, time);
  return first;
}

class Work {
  asked = 0;
  extended = 0;
  readonly problems: Failure[] = [];
  /** When the lock of each object ends. */
  readonly ends = new Map<string, number>();
  readonly #locks: ObjectLocks;
  readonly #renewal: Renewal;
  #done = 0;

  constructor(locks: ObjectLocks, renewal: Renewal) {
    this.#locks = locks;
    this.#renewal = renewal;
  }

  /** The objects whose locks are too short, those first that end first. */
  async lookAt(needed: readonly NeededObject[]): Promise<Due[]> {
    const { known, now } = this.#renewal;
    const due: Due[] = [];
    await eachOf(needed, AT_ONCE, async (object) => {
      const { name, modified, wanted } = object;
      const lock = known.get(name, modified) ?? (await this.#ask(object));
      if (lock === 'missing') return;
      this.ends.set(name, typeof lock === 'object' ? lock.until : 0);
      if (lock === undefined) return;
      const found = lock === 'unlocked' ? undefined : lock;
      if (isTooShort(name, found?.until ?? 0, lockedUntil(wanted, this.#locks.rule, now), now)) due.push({ object, lock: found });
    });
    return due.sort((a, b) => (a.lock?.until ?? 0) - (b.lock?.until ?? 0));
  }

  /** Undefined where the store does not say. */
  async #ask({ name, modified }: NeededObject): Promise<ObjectLock | 'unlocked' | 'missing' | undefined> {
    this.#step();
    this.asked++;
    const lock = await this.#unlessRefused(() => this.#locks.of(name));
    if (typeof lock === 'object') this.#renewal.known.set(name, modified, lock);
    return lock;
  }

  /** What the store refuses of a few objects keeps it from none of the others: undefined then. */
  async #unlessRefused<Answer>(request: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await request();
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'repository_refused' || this.problems.length >= MOST_REFUSED) throw failure;
      this.problems.push(failure);
      return undefined;
    }
  }

  async extend(due: readonly Due[]): Promise<void> {
    // A store that does not keep what it is told is found out by the first object.
    await eachOf(due.slice(0, 1), 1, (first) => this.#extendOne(first, (object, lock) => this.#prove(object, lock)));
    await eachOf(due.slice(1), AT_ONCE, (each) => this.#extendOne(each));
  }

  async #extendOne({ object, lock }: Due, prove?: (object: NeededObject, lock: ObjectLock) => Promise<void>): Promise<void> {
    this.#step();
    const { rule } = this.#locks;
    // A store lets nobody change the mode of a lock.
    const next = { mode: lock?.mode ?? rule.mode, until: lockedUntil(object.wanted, rule, this.#renewal.now) };
    const done = await this.#unlessRefused(() => this.#extendOnce(object.name, next));
    if (done === undefined) return;
    await prove?.(object, done);
    this.ends.set(object.name, done.until);
    this.#renewal.known.set(object.name, object.modified, done);
  }

  /** How it is locked now; undefined where it is gone. */
  async #extendOnce(name: string, lock: ObjectLock): Promise<ObjectLock | undefined> {
    try {
      return await this.#send(name, lock);
    } catch (error) {
      if (asFailure(error).code !== 'repository_refused') throw error;
      // Somebody else may have locked it for longer, or in the other mode.
      const found = await this.#locks.of(name);
      if (found === 'unlocked' || found === 'missing') throw error;
      if (found.until >= lock.until) return found;
      if (found.mode === lock.mode) throw error;
      return await this.#send(name, { ...lock, mode: found.mode });
    }
  }

  async #send(name: string, lock: ObjectLock): Promise<ObjectLock | undefined> {
    if (await this.#locks.extend(name, lock)) {
      this.extended++;
      return lock;
    }
    this.ends.delete(name);
    return undefined;
  }

  async #prove({ name }: NeededObject, { until }: ObjectLock): Promise<void> {
    const found = await this.#locks.of(name);
    if (found === 'missing' || (found !== 'unlocked' && found.until >= until)) return;
    const what = found === 'unlocked' ? 'no lock' : `a lock until ${new Date(found.until).toISOString()}`;
    const message = `${name} was locked until ${new Date(until).toISOString()}, and has ${what}: the store does not keep locks`;
    const advice = 'Take a store and a bucket with object lock, or objectLock out of the settings.';
    throw new Failure('repository_refused', message, { affected: [name], advice });
  }

  #step(): void {
    const { signal, save } = this.#renewal;
    if (signal.aborted) throw new Failure('cancelled', 'the renewal of locks was stopped; the next one goes on');
    if (++this.#done % NOTED_EVERY === 0) save();
  }
}
