import type { Level } from './snapshot.ts';

/** How long snapshots are kept: as long as any of the rules wants it. Plain data, so that it can stand in the settings. */
export interface RetentionPolicy {
  /** How long snapshots of each level are kept, as durations. */
  readonly levels?: Readonly<Partial<Record<Level, string>>>;
  /** A duration: everything younger is kept. */
  readonly keepWithin?: string;
  /** Everything taken on this many most recent days on which there is a snapshot. Of this and the others, 0 is as good as left out. */
  readonly keepLast?: number;
  /** The first snapshot of each of this many days, weeks, months, years of the calendar, the present one included. */
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  /** Between 0 and 1; when more than this share of a unit's snapshots would go, somebody has to confirm it. */
  readonly guardShare: number;
}

/** Keeps one snapshot whatever the rules say. */
export interface Hold {
  /** The snapshot's id. */
  readonly id: string;
  readonly reason: string;
  /** RFC 3339; left out: until it is released. */
  readonly expires?: string;
}
