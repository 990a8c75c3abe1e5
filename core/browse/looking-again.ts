import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';

/** What a reader meets of what a prune deletes beside it. */
const MAY_BE_GONE: ReadonlySet<string> = new Set(['repository_damaged', 'chain_broken']);

/**
 * A command that only reads and is done again when it fails over something that was missing: a prune may have deleted it since the
 * command had found it, and then it is found no more. What is really damaged fails again.
 */
export function lookingAgain<Request, Result>(
  command: (request: Request, context: Context) => Promise<Result>,
): (request: Request, context: Context) => Promise<Result> {
  return async (request, context) => {
    try {
      return await command(request, context);
    } catch (error) {
      if (context.signal.aborted || !MAY_BE_GONE.has(asFailure(error).code)) throw error;
      return command(request, context);
    }
  };
}
