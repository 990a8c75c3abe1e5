import { settingsOfCopy } from '../config/copies.ts';
import type { Context } from '../context/context.ts';
import { currentOperation, operate } from '../repository/backends/operation.ts';
import { Traffic } from '../repository/backends/traffic.ts';

/** What every request may say. */
interface Common {
  readonly stats?: boolean;
  readonly fromCopy?: string;
}

/**
 * Carries out a request as one operation: what it waits for ends when the request is cancelled, what takes long is told, and what it asks of the
 * repository is counted where that is wanted. With `fromCopy` a copy stands for the repository. Throws `usage` when there is no such copy.
 */
export async function operation<Result>(
  request: unknown,
  context: Context,
  action: (context: Context) => Promise<Result>,
): Promise<Result> {
  const { stats, fromCopy } = (request ?? {}) as Common;
  const { reporter, signal } = context;
  const traffic = stats === true ? new Traffic() : undefined;
  const given = fromCopy === undefined ? context : { ...context, settings: settingsOfCopy(fromCopy, context.settings) };
  const result = await operate({ traffic, signal, notify: (notice) => reporter.log(notice) }, () => action(given));
  // What another process counted stands there already.
  return traffic === undefined ? result : { stats: traffic.stats, ...result };
}

/** The same command, which takes nothing that is stored from a copy: it is to say what is in the repository. */
export function checking<Request, Result>(
  command: (request: Request, context: Context) => Promise<Result>,
): (request: Request, context: Context) => Promise<Result> {
  return (request, context) => {
    const { signal, reporter } = context;
    const operation = currentOperation() ?? { signal, notify: (notice) => reporter.log(notice) };
    return operate({ ...operation, isChecking: true }, () => command(request, context));
  };
}
