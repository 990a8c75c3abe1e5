import type { Repository } from '../repository/repository.ts';

/** By the digest of a snapshot's record: the last time at which a run found the snapshot to be the state of its unit still. */
export type LastUnchanged = ReadonlyMap<string, string>;

/** Reads it from the run records, which alone tell of a unit in which nothing had changed. */
export async function readLastUnchanged(repository: Repository): Promise<LastUnchanged> {
  const last = new Map<string, string>();
  for await (const { units } of repository.eachRun()) {
    for (const { snapshot, time } of units) {
      if (snapshot === null) continue;
      const known = last.get(snapshot.sha256);
      if (known === undefined || Date.parse(time) > Date.parse(known)) last.set(snapshot.sha256, time);
    }
  }
  return last;
}
