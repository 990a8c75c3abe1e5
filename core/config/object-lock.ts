import type { Settings } from './settings-type.ts';

/** So many days an object is locked at least, where the setting does not say. */
const USUAL_DAYS = 30;

const DAY = 86_400_000;

/** How a place locks what is stored there. */
export interface LockRule {
  /** `governance`: whoever has a right of its own for that may end a lock. `compliance`: nobody may. */
  readonly mode: 'governance' | 'compliance';
  /** How long an object is locked when it is stored, and at least from each renewal on, in milliseconds. */
  readonly period: number;
}

/** What the settings of a place say; undefined: nothing is locked. */
export function lockRuleOf({ objectLock }: Settings['s3']): LockRule | undefined {
  if (objectLock === undefined) return undefined;
  const { mode, days = USUAL_DAYS } = objectLock;
  return { mode, period: days * DAY };
}
