export type Level = 'full' | 'differential' | 'incremental';

/** Names another snapshot by its id and by the SHA-256 (hexadecimal) of its record's bytes. */
export interface SnapshotLink {
  readonly id: string;
  readonly sha256: string;
}

/** What chains, schedules and retention need to know of a snapshot; a snapshot record together with its digest is one. */
export interface ChainSnapshot {
  readonly id: string;
  /** SHA-256 of the record's own bytes, hexadecimal: what the links of other snapshots name. */
  readonly sha256: string;
  readonly level: Level;
  readonly synthetic: boolean;
  /** When the scan began, RFC 3339 UTC. */
  readonly time: string;
  /** The previous state, which the scan compared with; an incremental's manifest holds the changes since it. Null for a plain full. */
  readonly parent: SnapshotLink | null;
  /** The full of the chain; a differential's manifest holds all changes since it. Null for a full. */
  readonly base: SnapshotLink | null;
  /** False when verification found it, or an object that it names, missing or damaged. */
  readonly usable?: boolean;
  /** False when the run that made it could not see or read everything. Left out: it could. */
  readonly complete?: boolean;
  /** How many entries it holds that can be restored. Undefined: nobody counted. */
  readonly held?: number;
  /** When a later run found that nothing had changed since: this snapshot is the restore point of that time, too. RFC 3339 UTC. */
  readonly unchangedUntil?: string;
}

/** What has an id and a time: enough to put in order. */
export type Dated = Pick<ChainSnapshot, 'id' | 'time'>;

/** When the snapshot was taken, in milliseconds since 1970. */
export function takenAt(snapshot: Dated): number {
  return Date.parse(snapshot.time);
}

/** Sorts oldest first; snapshots of the same millisecond by id. */
export function compareAge(a: Dated, b: Dated): number {
  return takenAt(a) - takenAt(b) || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** The newest of `snapshots`, undefined when there is none. */
export function newest<T extends Dated>(snapshots: Iterable<T>): T | undefined {
  let found: T | undefined;
  for (const snapshot of snapshots) {
    if (found === undefined || compareAge(snapshot, found) > 0) found = snapshot;
  }
  return found;
}
