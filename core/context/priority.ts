import { limitsOf } from '../config/limits.ts';
import type { Context } from './context.ts';

/**
 * A command that nobody waits for: while it works, all threads of the process give way as the limits say. Afterwards they have
 * back what they had, for a session that goes on with other commands. Where the system refuses, a warning is all.
 */
export function withPriority<Request, Result>(
  command: (request: Request, context: Context) => Promise<Result>,
): (request: Request, context: Context) => Promise<Result> {
  return async (request, context) => {
    const giveBack = await lowered(context);
    try {
      return await command(request, context);
    } finally {
      giveBack();
    }
  };
}

async function lowered({ settings, reporter }: Context): Promise<() => void> {
  const limits = limitsOf(settings);
  // Loaded here, so that what needs no system calls starts without them.
  const { lowerPriority } = await import('../linux/priority.ts');
  const orWarn = <Result>(action: () => Result): Result | undefined => {
    try {
      return action();
    } catch (error) {
      const message = `the priority could not be lowered: ${(error as Error).message}`;
      reporter.log({ level: 'warning', code: 'priority_kept', message });
      return undefined;
    }
  };
  const giveBack = orWarn(() => lowerPriority(limits));
  return () => void orWarn(() => giveBack?.());
}
