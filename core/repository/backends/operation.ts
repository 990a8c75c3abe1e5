import { AsyncLocalStorage } from 'node:async_hooks';
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
