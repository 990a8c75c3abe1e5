import type { SnapshotLink } from '../chain/snapshot.ts';
import type { SealedMembers } from './record.ts';

/** What became of one unit in a run. */
export interface RunUnit {
  readonly name: string;
  /** The incarnation; null when the run failed before it was known. */
  readonly unit: string | null;
  /** `unchanged`: nothing was stored, `snapshot` still stands at `time`. `partial`: the snapshot has warnings. */
  readonly outcome: 'ok' | 'unchanged' | 'partial' | 'failed';
  /** When the scan of this unit began, RFC 3339 UTC. */
  readonly time: string;
  /** The restore point for `time`; null when the unit failed. */
  readonly snapshot: SnapshotLink | null;
  readonly warningCount: number;
  /** False when the unit failed or its snapshot lacks anything; older records do not have it. */
  readonly complete?: boolean;
  /** File sizes of what a restore of `snapshot` gives back; older records do not have it. */
  readonly size?: number;
  /** Why the unit failed; `code` is a `FailureCode`. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** Where a run record stands in the log of its server's runs. */
export interface LogEntry {
  /** From 1. A number can be left out: by a run that died while it wrote its record. */
  readonly sequence: number;
  /** The record before it, when it was written; null for the first. */
  readonly previous: LogLink | null;
  /** True: what the server deletes from here on, `standing` in its deletion records tells. Older programs do not say so. */
  readonly standing?: boolean;
}

/** A link to a run record. */
export interface LogLink {
  readonly sequence: number;
  readonly id: string;
  /** Of the record's bytes. */
  readonly sha256: string;
}

/** What a server remembered of its verifications when a run ended. */
export interface VerifiedUnits {
  /** When that of its units was verified that is longest ago, RFC 3339 UTC; null when one of them never was. */
  readonly oldest: string | null;
  /** The names of those of which damage is known. */
  readonly damaged: readonly string[];
}

/** One record a run, written when the run ends; a unit in which nothing changed stands here alone. */
export interface RunRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  /** When the run began and ended, RFC 3339 UTC. */
  readonly time: string;
  readonly finished: string;
  readonly status: 'ok' | 'partial' | 'failed';
  readonly units: readonly RunUnit[];
  /** True: the run was of all that the server backs up. Older records do not say so. */
  readonly whole?: boolean;
  /** Of the units of a whole run. */
  readonly verified?: VerifiedUnits;
  /** Its place in the log of the server's runs; records from before there were signatures have none. */
  readonly log?: LogEntry;
  readonly tool: { readonly name: string; readonly version: string };
  /** Has `units` with the messages of the failures, where the repository is encrypted. */
  readonly sealed?: SealedMembers;
}
