import { databasesOf } from '../config/databases.ts';
import type { Context } from '../context/context.ts';
import type { DatabaseExport } from '../context/database-export.ts';
import type { NightlyRequest } from '../schemas/nightly.ts';
import type { RunRequest } from '../schemas/run.ts';
import type { Method, Methods } from './registry.ts';

/** What tells or changes a setting needs no system calls of ours, and starts without them. */
const LIGHT: ReadonlySet<string> = new Set(['version', 'settings.get', 'settings.set']);

/** The same methods; before the first that does any work the process gives up for good what none of them needs. */
export function withLimitedRights(methods: Methods): Methods {
  let isLimited = false;
  const limited = (name: string, method: Method): Method => ({
    ...method,
    async perform(request, context) {
      // The panel's programs need all rights of root, and are run before these are gone.
      const databaseExport = await exportFor(name, request, context);
      if (!isLimited) (await import('../linux/process-rights.ts')).limitRights();
      isLimited = true;
      return method.perform(request, databaseExport === undefined ? context : { ...context, databaseExport });
    },
  });
  return new Map([...methods].map(([name, method]) => [name, LIGHT.has(name) ? method : limited(name, method)]));
}

/** Nothing is loaded for it unless it is wanted. */
async function exportFor(name: string, request: unknown, context: Context): Promise<DatabaseExport | undefined> {
  if ((name !== 'run' && name !== 'nightly') || !isWanted(context)) return undefined;
  const { exportIfDue } = await import('../backup/databases/export-if-due.ts');
  if (name === 'run') return await exportIfDue(request as RunRequest, context);
  const { beforeNight } = await import('./nightly.ts');
  return await beforeNight(request as NightlyRequest, context, () => exportIfDue({}, context));
}

/** What is wrong with the settings the command says itself. */
function isWanted(context: Context): boolean {
  try {
    return process.geteuid?.() === 0 && databasesOf(context.settings).method === 'panel';
  } catch {
    return false;
  }
}
