import type { DoubtsResult } from '../schemas/reading.ts';

/** As many are named as anybody reads; all are counted. */
const NAMED = 100;

/** What a result says of what could not be used and may be missing from it: with any of that the answer is not the whole one. */
export function doubtsResult(doubts: readonly { readonly code: string; readonly message: string }[]): DoubtsResult {
  const warnings = doubts.slice(0, NAMED).map(({ code, message }) => ({ code, message }));
  return { status: doubts.length === 0 ? 'ok' : 'partial', warnings, warningCount: doubts.length };
}
