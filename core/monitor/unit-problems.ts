import type { RunUnit } from '../repository/run-record.ts';
import type { StatusProblem, UnitStatus } from '../schemas/status.ts';
import type { Verified } from '../verify/verified-units.ts';
import type { CoveredUnit } from './coverage.ts';
import type { UnitState } from './unit-state.ts';

/** What is known of a unit. */
export interface KnownOfUnit {
  readonly covered: CoveredUnit;
  readonly state: UnitState | undefined;
  readonly status: UnitStatus;
  /** Its outcome in the newest run that it was in. */
  readonly outcome: RunUnit | undefined;
  readonly verified: Verified | undefined;
  /** Since when each of its newest runs failed, RFC 3339 UTC; undefined when the newest did not. */
  readonly failedSince: string | undefined;
  /** When its last backup became overdue, in milliseconds since 1970. */
  readonly overdueFrom: number;
}

type Problem = Omit<StatusProblem, 'unit'>;

/** What of a unit needs somebody's attention, the worst first. */
export function unitProblems({ covered, state, status, outcome, verified, failedSince, overdueFrom }: KnownOfUnit): StatusProblem[] {
  const { name: unit, living } = covered;
  const found: Problem[] = [];
  const add = (code: Problem['code'], message: string, advice: string, since: string | null = null) =>
    found.push({ code, message, advice, since });
  if (verified?.status === 'damaged') {
    add(
      'damaged',
      `the verification of ${verified.time} found damage`,
      `apiscp-backup verify ${unit}; then a full: apiscp-backup run ${unit} --level full`,
      verified.time,
    );
  }
  if (living === undefined) {
    add('vanished', 'it has backups, and is not on the server any more', `If it was deleted on purpose: apiscp-backup forget ${unit}`);
  }
  for (const { path, reason } of living?.missing ?? [])
    add('root_missing', `${path} ${reason}`, 'Mount or mend it; if it is gone for good, see `forget`.');
  if (state?.obstacle !== undefined) {
    add(
      'not_restorable',
      `its newest snapshot cannot be restored: ${state.obstacle}`,
      'The next backup is a full. Look at the disk of the repository.',
    );
  }
  if (outcome?.outcome === 'failed') {
    const why = outcome.failure === null ? 'no reason was recorded' : `${outcome.failure.message} (${outcome.failure.code})`;
    add('failed', `its backup of ${outcome.time} failed: ${why}`, `apiscp-backup run ${unit}`, failedSince);
  }
  if (status.snapshot === null && living !== undefined) {
    add('never_backed_up', 'it has no backup that can be restored', `apiscp-backup run ${unit}`);
  } else if (status.overdue) {
    const since = new Date(overdueFrom).toISOString();
    add('overdue', `its last backup is of ${status.time}`, 'See `apiscp-backup doctor`, and the log of the last night.', since);
  }
  if (status.snapshot !== null && !status.complete && living !== undefined) {
    const since = status.lastComplete === null ? 'none of its backups is complete' : `the last complete one is ${status.lastComplete}`;
    add('incomplete', `its last backup lacks something; ${since}`, `apiscp-backup run ${unit} names what.`);
  }
  return found.map((problem) => ({ unit, ...problem }) as StatusProblem);
}
