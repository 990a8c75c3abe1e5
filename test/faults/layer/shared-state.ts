import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { ACTIONS, type Action, ERRNOS, type ErrnoName, type Fault } from './fault.ts';
import { numberOf, POINT_COUNT, type ThreadName } from './points.ts';

const KEY = 'faults of a test';
const ERRNO_NAMES = Object.keys(ERRNOS) as ErrnoName[];

const ARMED = 0;
const TARGET = 1;
const NTH = 2;
const ACTION = 3;
const ERRNO = 4;
const FOREVER = 5;
const HITS = 6;
const COUNTERS = 8;

/** What is to happen at a call. */
export interface Deed {
  readonly action: Action;
  readonly errno: ErrnoName;
}

/** The counters of all calls and the fault that is wanted, shared by all threads of the process. */
export class SharedState {
  readonly #words: Int32Array;

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The one of this process; the first thread makes it, and those that it starts find it. */
  static get(): SharedState {
    const present = getEnvironmentData(KEY);
    if (present instanceof SharedArrayBuffer) return new SharedState(new Int32Array(present));
    const memory = new SharedArrayBuffer(4 * (COUNTERS + POINT_COUNT));
    setEnvironmentData(KEY, memory);
    return new SharedState(new Int32Array(memory));
  }

  /** Begins to count; with a fault, that one happens when its call comes. */
  arm(fault?: Fault): void {
    this.#words.fill(0);
    this.#words[TARGET] = -1;
    if (fault !== undefined) {
      this.#words[TARGET] = numberOf(fault.thread, fault.call);
      this.#words[NTH] = fault.nth;
      this.#words[ACTION] = ACTIONS.indexOf(fault.action);
      this.#words[ERRNO] = ERRNO_NAMES.indexOf(fault.errno);
      this.#words[FOREVER] = fault.forever ? 1 : 0;
    }
    Atomics.store(this.#words, ARMED, 1);
  }

  disarm(): void {
    Atomics.store(this.#words, ARMED, 0);
  }

  get isArmed(): boolean {
    return Atomics.load(this.#words, ARMED) === 1;
  }

  /** How often the fault happened. */
  get hits(): number {
    return Atomics.load(this.#words, HITS);
  }

  /** How often each call came since `arm`, by its number. */
  get counts(): number[] {
    return [...this.#words.subarray(COUNTERS)];
  }

  /** To be called at each call of the number: what is to happen instead of it. */
  meet(number: number): Deed | undefined {
    if (!this.isArmed) return undefined;
    const nth = Atomics.add(this.#words, COUNTERS + number, 1) + 1;
    if (this.#words[TARGET] !== number) return undefined;
    const wanted = this.#words[NTH] as number;
    if (nth !== wanted && !(nth > wanted && this.#words[FOREVER] === 1)) return undefined;
    Atomics.add(this.#words, HITS, 1);
    return { action: ACTIONS[this.#words[ACTION] as number] as Action, errno: ERRNO_NAMES[this.#words[ERRNO] as number] as ErrnoName };
  }
}

/** How a thread meets its calls: by their names. */
export function meeting(state: SharedState, thread: ThreadName): (call: string) => () => Deed | undefined {
  return (call) => {
    const number = numberOf(thread, call);
    return () => state.meet(number);
  };
}
