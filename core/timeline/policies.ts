import type { RetentionPolicy } from '../chain/retention-policy.ts';
import type { SchedulePolicy } from '../chain/schedule-policy.ts';
import { SHIPPED_RETENTION, SHIPPED_SCHEDULE } from '../config/defaults.ts';
import type { Settings } from '../config/settings.ts';

/** Which level is due when; what the setting leaves out is as shipped. */
export function schedulePolicy({ schedule }: Pick<Settings, 'schedule'>): SchedulePolicy {
  return { ...SHIPPED_SCHEDULE, ...schedule };
}

/** How long snapshots are kept. A setting replaces the shipped rules altogether; the guard stays unless it is set, too. */
export function retentionPolicy({ retention }: Pick<Settings, 'retention'>): RetentionPolicy {
  return { guardShare: SHIPPED_RETENTION.guardShare, ...retention };
}
