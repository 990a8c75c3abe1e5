import type { StatusProblem } from '../schemas/status.ts';
import type { NightStep } from '../timeline/last-night.ts';

/** What is wrong: as the status has it, or something that it cannot know. */
export type ToldProblem = Omit<StatusProblem, 'code'> & { readonly code: string };

/** Everything that people are told of one night, or of one that did not come. */
export interface NightReport {
  /** Names the event, and nothing else does: it is told once. */
  readonly event: string;
  /** The server's name. */
  readonly server: string;
  /** RFC 3339 UTC. */
  readonly time: string;
  /** When the night began; null when none did. */
  readonly began: string | null;
  readonly steps: readonly NightStep[];
  readonly problems: readonly ToldProblem[];
  /** What people were told of before, and what is not so any more. */
  readonly recovered: readonly RecoveredProblem[];
  /** The domains of accounts, by the unit. */
  readonly domains: ReadonlyMap<string, string>;
}

export interface RecoveredProblem {
  /** `failed site12`, as `problemKey` has it. */
  readonly key: string;
  readonly since: string;
}

export type NightOutcome = 'ok' | 'recovered' | 'partial' | 'missed' | 'failed' | 'damaged';

/** Whether there is anything that people want to hear. */
export function isWorthTelling({ problems, recovered }: Pick<NightReport, 'problems' | 'recovered'>): boolean {
  return problems.length > 0 || recovered.length > 0;
}

/** The night in one word: the worst of what there is. */
export function outcomeOf({ steps, problems, recovered }: NightReport): NightOutcome {
  const has = (...codes: string[]) => problems.some(({ code }) => codes.includes(code));
  if (has('damaged') || steps.some(({ status }) => status === 'damaged')) return 'damaged';
  if (has('night_missed', 'not_automatic', 'night_unfinished')) return 'missed';
  if (has('unreadable') || steps.some(({ step, status }) => step === 'run' && status === 'failed')) return 'failed';
  if (problems.length > 0) return 'partial';
  return recovered.length > 0 ? 'recovered' : 'ok';
}
