import type { ServerFolder } from '../server-folder.ts';
import { canBeProtected, geometryFor } from './geometry.ts';
import { recoveryLength } from './recovery-head.ts';

/** Stores recovery data beside an object that was just stored, where the settings want it and the object is not too large for it. */
export async function protect(
  folder: ServerFolder,
  stored: { readonly path: string; readonly length: number; readonly sha256: string },
): Promise<void> {
  if (folder.recovery === undefined) return;
  // Most servers have none: they need not load the library.
  const { makeRecovery } = await import('./make-recovery.ts');
  await makeRecovery(folder, stored, folder.recovery);
}

/** How many bytes `protect` stores beside an object of a length. */
export function protectionOf({ recovery }: ServerFolder, length: number): number {
  if (recovery === undefined) return 0;
  return canBeProtected(length, recovery) ? recoveryLength(geometryFor(length, recovery)) : 0;
}
