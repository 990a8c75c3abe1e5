import { asFailure } from '../failure.ts';
import type { WireError } from './schemas/parts.ts';

/** What a caller gets to know of anything that was thrown. A defect's stack goes to `stderr`, not to the caller. */
export function toWireError(thrown: unknown): WireError {
  const failure = asFailure(thrown);
  if (failure.code === 'internal') process.stderr.write(`${(failure.cause as Error | undefined)?.stack ?? failure.stack}\n`);
  const { code, message, affected, advice, retry } = failure;
  return { code, message, affected, advice: advice ?? null, retry };
}
