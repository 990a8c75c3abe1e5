import { Excluded } from '../../core/restore/plan/exclude-rules.ts';

/** For restores in which no rule leaves anything out. */
export const NOTHING_EXCLUDED = new Excluded({ now: { paths: [], patterns: [] }, earlier: undefined });
