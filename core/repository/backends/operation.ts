import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type { Notify } from '../../context/notice.ts';
import type { Traffic } from './traffic.ts';

/** On whose behalf stores are asked. It goes along with what is awaited, so that nobody in between has to hand it on. */
export interface Operation {
  /** Where requests are counted; undefined: nobody wants to know. */
  readonly traffic?: Traffic | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly notify: Notify;
  /** So many milliseconds after a first failure nothing is tried again; undefined: as long as is usual. */
  readonly patience?: number | undefined;
  /** In milliseconds: what still asks for something when nobody waits any more is given so long. Undefined: as long as is usual. */
  readonly grace?: number | undefined;
  /** To look whether what is stored is as it should be: nothing is taken from a copy. */
  readonly isChecking?: boolean | undefined;
}

const current = new AsyncLocalStorage<Operation>();

/** The operation that is under way here; undefined outside of any. */
export function currentOperation(): Operation | undefined {
  return current.getStore();
}

/** Does something as an operation. Others that are under way meanwhile are others. */
export function operate<T>(operation: Operation, action: () => T): T {
  return current.run(operation, action);
}

/** Where requests are counted that are made now. */
export function currentTraffic(): Traffic | undefined {
  return current.getStore()?.traffic;
}

/** Long enough to drop what was begun, and to store a record of what was done; in milliseconds. */
const USUAL_GRACE = 10_000;

/**
 * Asks a store for something. The signal tells that it is not worth waiting any longer: nobody waits for the operation any more, and the store has not
 * answered for a while since. A store that answers still gets what ends things in order.
 */
export async function whileWanted<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, grace = USUAL_GRACE } = currentOperation() ?? {};
  const controller = new AbortController();
  if (signal === undefined) return ask(controller.signal);
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(), grace).unref();
  };
  // As many as requests are under way listen.
  setMaxListeners(0, signal, controller.signal);
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  try {
    return await ask(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', begin);
  }
}
