import type { RetentionPolicy } from '../chain/retention-policy.ts';
import type { NightPolicy } from '../chain/schedule-policy.ts';
import { DEFAULT_RETENTION, DEFAULT_SCHEDULE } from '../config/defaults.ts';
import type { Settings } from '../config/settings.ts';

/** Which level is due when; what the setting leaves out has its default. */
export function schedulePolicy({ schedule }: Pick<Settings, 'schedule'>): NightPolicy {
  return { ...DEFAULT_SCHEDULE, ...schedule };
}

/** How long snapshots are kept. A setting replaces the default rules altogether; the guard stays unless it is set, too. */
export function retentionPolicy({ retention }: Pick<Settings, 'retention'>): RetentionPolicy {
  return { guardShare: DEFAULT_RETENTION.guardShare, ...retention };
}
