import { asFailure } from '../failure.ts';
import type { WireError } from './parts.ts';

let isDefectShown = false;

/** From now on the stack of a defect goes to `stderr`. */
export function showDefects(): void {
  isDefectShown = true;
}

const ADVICE = 'This is a defect of the program. Please report it, with what the same command says with --debug.';

/** Whether it does. */
export function areDefectsShown(): boolean {
  return isDefectShown;
}

/** What a caller gets to know of anything that was thrown; never where in the program. */
export function toWireError(thrown: unknown): WireError {
  const failure = asFailure(thrown);
  const isDefect = failure.code === 'internal';
  if (isDefect && isDefectShown) process.stderr.write(`${(failure.cause as Error | undefined)?.stack ?? failure.stack}\n`);
  const { code, message, affected, advice = isDefect ? ADVICE : null, retry } = failure;
  return { code, message, affected, advice, retry };
}
