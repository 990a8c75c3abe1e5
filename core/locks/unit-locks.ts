import type { Context } from '../context/context.ts';
import type { Repository } from '../repository/repository.ts';
import { useStateDirectory } from '../repository/state-directory.ts';
import { type Lock, takeLock, waitForLock } from './locks.ts';
import { toldWaiting } from './waiting.ts';

/** The lock of whoever backs up the unit of this name, or deletes from its backups. */
export function unitBackupLock(name: string): string {
  return `${name}.backup`;
}

/**
 * Keeps a prune from deleting what a restore of the unit of this name reads, waiting for one that is under way; and, of a restore to
 * the original place, or `onto` another account, another one from writing there. A state directory that cannot be used is no hindrance: then nobody prunes
 * by it. Throws `locked`, `cancelled`.
 */
export async function lockForRestore(
  name: string,
  { to, onto = name }: { readonly to?: unknown; readonly onto?: string | undefined },
  repository: Repository,
  context: Context,
): Promise<Lock[]> {
  const { stateDirectory } = context.settings;
  if (!useStateDirectory(stateDirectory, repository.notify)) return [];
  const reading = await waitForLock(stateDirectory, name, 'restore', toldWaiting(context), 'shared');
  if (to !== undefined) return [reading];
  try {
    return [reading, takeLock(stateDirectory, `${onto}.restore`, 'restore')];
  } catch (error) {
    reading.release();
    throw error;
  }
}
