import type { RunIndex } from '../repository/run-index.ts';

/** By the digest of a snapshot's record: the last time at which a run found the snapshot to be the state of its unit still. */
export type LastUnchanged = ReadonlyMap<string, string>;

/** What the run records say of a unit in which nothing had changed; they alone tell of it. */
export function lastUnchanged({ witnesses }: RunIndex): LastUnchanged {
  return new Map(Array.from(witnesses, ([sha256, { time }]) => [sha256, time]));
}
