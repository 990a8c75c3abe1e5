import type { Context } from './context.ts';

/**
 * Calls `report` whenever somebody asks how far it is, with SIGUSR1 as of dd(1). Returns what ends that; the signal has no effect
 * then.
 */
export function onProgressRequest(report: () => void): () => void {
  process.on('SIGUSR1', report);
  return () => void process.off('SIGUSR1', report);
}

/** A command that can take long: from its beginning on the signal gets through. */
export function askable<Request, Result>(
  command: (request: Request, context: Context) => Promise<Result>,
): (request: Request, context: Context) => Promise<Result> {
  return async (request, context) => {
    // Loaded here, so that what needs no system calls starts without them.
    const { letProgressSignalThrough } = await import('../linux/signals.ts');
    letProgressSignalThrough();
    return command(request, context);
  };
}
