import type { FailureCode } from '../failure.ts';

/** What the program's exit code says. Anything else, and anything new, means failure (docs/guide/exit-codes.md). */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  locked: 4,
  damaged: 5,
} as const;

/** The exit code of a result: its `status`, where it has one, says more than that there is a result. */
export function exitCodeOfResult(result: unknown): number {
  const status = (result as { status?: unknown } | null)?.status;
  if (status === 'partial') return EXIT.partial;
  if (status === 'damaged') return EXIT.damaged;
  return status === 'failed' ? EXIT.failed : EXIT.ok;
}

/** Something that was needed of the repository is missing, cut or altered. */
const DAMAGE: ReadonlySet<string> = new Set(['repository_damaged', 'digest_mismatch', 'chain_broken', 'history_missing']);

/** The exit code of a failure. */
export function exitCodeOfFailure(code: FailureCode | string): number {
  if (code === 'usage') return EXIT.usage;
  if (code === 'locked') return EXIT.locked;
  return DAMAGE.has(code) ? EXIT.damaged : EXIT.failed;
}
