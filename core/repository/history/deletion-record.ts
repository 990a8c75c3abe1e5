/** What of a server's history is not there any more because the server deleted it: all of it, also what earlier records said. */
export interface DeletionRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  /** The numbers of run records, both ends included; ascending, without overlaps. */
  readonly runs: readonly { readonly first: number; readonly last: number }[];
  /** Snapshots that the newest run record that names their unit still names. */
  readonly snapshots: readonly { readonly unit: string; readonly id: string }[];
  /** RFC 3339 UTC. */
  readonly created: string;
}
