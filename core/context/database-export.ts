import type { FailureCode } from '../failure.ts';

/** What became of the panel's own export of databases. */
export interface DatabaseExport {
  readonly name: 'panel';
  /** When it began, RFC 3339 UTC. */
  readonly at: string;
  readonly seconds: number;
  readonly result: 'ok' | 'failed';
  /** Whether the panel exports every night by itself as well; null when it does not say. */
  readonly automatic: boolean | null;
  /** Exit code of its script; null when it was not started, or a signal ended it. */
  readonly exitCode: number | null;
  /** What its script wrote on stderr, shortened, be it that it succeeded; null: nothing. */
  readonly said: string | null;
  readonly error: { readonly code: FailureCode; readonly message: string } | null;
}
