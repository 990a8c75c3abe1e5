import type { Context } from '../../context/context.ts';
import type { Databases } from '../../databases/databases.ts';
import { ENGINES } from '../../databases/engine.ts';
import { asFailure } from '../../failure.ts';

/**
 * Puts databases back whose restore has died in the middle, before they are dumped, and takes away what such a restore left. What keeps it
 * from that is a warning: the databases are dumped as they are.
 */
export async function settleDeadRestores(databases: Databases, context: Context): Promise<void> {
  const { reporter, settings } = context;
  for (const engine of ENGINES) {
    if (!(await databases.hasLeftovers(engine))) continue;
    try {
      const atOnce = { ...settings, limits: { ...settings.limits, wait: 0 } };
      // Its drivers are for who needs them.
      const { ServerRestores } = await import('../../targets/database-restore.ts');
      const server = await ServerRestores.open(engine, 'system', { settings: atOnce, signal: context.signal, reporter });
      await server.close();
      databases.lookAgain(engine);
      for (const { database, kept } of server.settled) {
        const where = kept === undefined ? '' : `; the tables of that restore are kept as ${kept}`;
        const message = `${engine}/${database} was put back as it was before a restore that had died${where}`;
        reporter.log({ level: 'warning', code: 'restore_settled', message, affected: [database] });
      }
    } catch (error) {
      context.signal.throwIfAborted();
      const { code, message } = asFailure(error);
      // A restore is under way, which will end by itself.
      if (code !== 'locked') reporter.log({ level: 'warning', code, message: `what a restore that died has left stays: ${message}` });
    }
  }
}
