import type { PanelUnit } from '../../panel/unit.ts';
import type { RunUnit } from '../../repository/run-record.ts';
import type { RunResult, UnitOutcome } from '../../schemas/run.ts';
import { toWireError } from '../../schemas/wire-error.ts';
import { TOLD_ONCE } from '../rows/warning-list.ts';
import type { BackedUpUnit } from './backed-up-unit.ts';

/** What ended a unit, told to the caller and kept in the run's record. */
export interface EndedUnit {
  readonly outcome: UnitOutcome;
  readonly entry: RunUnit;
}

export function succeeded(backup: BackedUpUnit, unit: PanelUnit, time: string): EndedUnit {
  const { record, isNew, warnings } = backup;
  const complete = !warnings.isIncomplete;
  const isTold = isNew && warnings.list.some(({ code }) => TOLD_ONCE.has(code));
  const status = !complete || isTold || backup.isHistoryMissing === true ? 'partial' : isNew ? 'ok' : 'unchanged';
  const { counts, bytes } = record;
  const outcome: UnitOutcome = {
    unit: unit.name,
    status,
    snapshot: record.id,
    level: record.level,
    reason: backup.plan.reason,
    entries: counts.entries,
    changed: isNew ? counts.changed : 0,
    deleted: isNew ? counts.deleted : 0,
    bytesTotal: bytes.total,
    bytesRead: isNew ? bytes.read : 0,
    bytesStored: isNew ? bytes.stored : 0,
    warnings: [...warnings.list],
    warningCount: warnings.count,
    error: null,
    ...(backup.rawDatabases.length === 0 ? {} : { rawDatabases: backup.rawDatabases }),
  };
  const { warningCount, bytesTotal } = outcome;
  const entry = { name: unit.name, unit: backup.unit.unit, outcome: status, time, snapshot: backup.link, warningCount } as const;
  return { outcome, entry: { ...entry, complete, size: bytesTotal, failure: null } };
}

export function failed(unit: Pick<PanelUnit, 'name'>, error: unknown, time: string): EndedUnit {
  const wire = toWireError(error);
  const { code, message } = wire;
  return {
    outcome: {
      unit: unit.name,
      status: 'failed',
      snapshot: null,
      level: null,
      reason: '',
      entries: 0,
      changed: 0,
      deleted: 0,
      bytesTotal: 0,
      bytesRead: 0,
      bytesStored: 0,
      warnings: [],
      warningCount: 0,
      error: wire,
    },
    entry: {
      name: unit.name,
      unit: null,
      outcome: 'failed',
      time,
      snapshot: null,
      warningCount: 0,
      complete: false,
      failure: { code, message },
    },
  };
}

/** Failed only when nothing succeeded: one good snapshot is worth being told from none. */
export function overallStatus(statuses: readonly UnitOutcome['status'][]): RunResult['status'] {
  const failures = statuses.filter((status) => status === 'failed').length;
  if (failures > 0 && failures === statuses.length) return 'failed';
  return failures > 0 || statuses.includes('partial') ? 'partial' : 'ok';
}

/** The most bytes of JSON that the warnings of one answer take: whoever reads it takes a line of some megabytes only. */
const ANSWER_WARNING_BYTES = 4 * 1024 * 1024;

/**
 * For the outcomes of one answer, one after the other: each as it is while there is room, then without its warnings; `warningCount` counts
 * them all, and the snapshots' records list them.
 */
export function withinAnswer(): (outcome: UnitOutcome) => UnitOutcome {
  let left = ANSWER_WARNING_BYTES;
  return (outcome) => {
    left -= Buffer.byteLength(JSON.stringify(outcome.warnings));
    return left >= 0 ? outcome : { ...outcome, warnings: [] };
  };
}
