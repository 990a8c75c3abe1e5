/** What of a server's history is not there any more because the server deleted it: all of it, also what earlier records said. */
export interface DeletionRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  /** The numbers of run records, both ends included; ascending, without overlaps. */
  readonly runs: readonly { readonly first: number; readonly last: number }[];
  /** Snapshots that the newest run record that names their unit still names. */
  readonly snapshots: readonly UnitSnapshot[];
  /** What stays of each unit; missing in records of older programs, and of units of which nothing was decided yet. */
  readonly standing?: readonly Standing[];
  /** What is missing, and somebody said that it may be; the last of it. */
  readonly accepted?: readonly Accepted[];
  /** RFC 3339 UTC. */
  readonly created: string;
}

/** The snapshots of a unit that stay, of those that were there before any run of a greater number ended. */
export interface Standing {
  readonly unit: string;
  readonly sequence: number;
  /** Ids. */
  readonly snapshots: readonly string[];
}

/** What was missing when somebody accepted that. */
export interface Accepted {
  /** RFC 3339 UTC. */
  readonly time: string;
  /** Ids. */
  readonly runs: readonly string[];
  readonly snapshots: readonly UnitSnapshot[];
}

export interface UnitSnapshot {
  readonly unit: string;
  readonly id: string;
}
