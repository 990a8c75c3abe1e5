import { DEFAULT_RECOVERY } from './defaults.ts';
import type { Settings } from './settings-type.ts';

/** How backups are protected from damage of their disk. */
export interface RecoverySettings {
  /** How much recovery data is stored beside each object, in percent of it; 0: none. */
  readonly percent: number;
}

export function recoveryOf({ recovery }: Pick<Settings, 'recovery'>): RecoverySettings {
  return { ...DEFAULT_RECOVERY, ...recovery };
}
