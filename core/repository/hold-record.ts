import type { SealedMembers } from './record.ts';

/** Keeps one snapshot whatever the rules of retention say, until it expires or is released. */
export interface HoldRecord {
  readonly formatVersion: number;
  readonly repository: string;
  readonly server: string;
  readonly unit: string;
  /** The id of the snapshot. */
  readonly snapshot: string;
  readonly reason: string;
  /** RFC 3339 UTC; null: until it is released. */
  readonly expires: string | null;
  /** RFC 3339 UTC. */
  readonly created: string;
  /** Has `reason`, where the repository is encrypted. */
  readonly sealed?: SealedMembers;
}
