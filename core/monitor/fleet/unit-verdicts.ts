import type { FleetProblem, FleetServer } from '../../schemas/fleet.ts';
import type { NamedUnit } from './named-units.ts';
import type { ReadUnits } from './read-units.ts';

/** What is said of the units of one server, all of them together. */
export type UnitsVerdict = Pick<FleetServer, 'units' | 'failed' | 'overdue' | 'incomplete' | 'oldest' | 'size' | 'lastRun' | 'verified'> & {
  /** The worst first. */
  readonly problems: readonly FleetProblem[];
};

/** Judges what the records of a server's runs say; what was backed up last before `since` (milliseconds since 1970) is overdue. */
export function judgeUnits({ units, lastSnapshots, ahead }: ReadUnits, since: number): UnitsVerdict {
  const { last, all } = units;
  const verified = last?.verified ?? null;
  const dates = new Map(all.map((unit) => [unit.name, lastGood(unit, lastSnapshots)]));
  const isOverdue = ({ name }: NamedUnit): boolean => (dates.get(name) ?? 0) < since;
  const failed = all.filter(({ newest }) => newest.outcome === 'failed');
  const overdue = all.filter(isOverdue);
  const incomplete = all.filter(({ good }) => good?.complete === false);
  const problems: FleetProblem[] = [];
  const add = (code: FleetProblem['code'], unit: FleetProblem['unit'], message: string) => problems.push({ code, unit, message });
  for (const name of verified?.damaged ?? []) add('damaged', name, 'its last verification there found damage');
  if (last === undefined) add('no_run', null, 'no run has ended yet');
  if (ahead > 0) add('clock_ahead', null, `${ahead} runs are dated ahead of the clock here; they count for nothing`);
  const isSilent = all.length > 0 && overdue.length === all.length;
  if (isSilent) add('overdue', null, `nothing was backed up since ${last?.time}`);
  for (const { name, newest } of failed) {
    const { code, message } = newest.failure ?? { code: 'unknown', message: '' };
    add('failed', name, `its backup of ${newest.time} failed: ${message === '' ? code : `${message} (${code})`}`);
  }
  for (const unit of isSilent ? [] : overdue) {
    const date = dates.get(unit.name);
    if (date === undefined) add('never_backed_up', unit.name, 'no backup of it is known that can be restored');
    else add('overdue', unit.name, `its last backup is of ${new Date(date).toISOString()}`);
  }
  for (const { name, good } of incomplete) add('incomplete', name, `its backup of ${good?.time} lacks something`);
  const times = [...dates.values()];
  const sizes = all.flatMap(({ good }) => good?.size ?? []);
  return {
    lastRun: last?.time ?? null,
    units: all.length,
    failed: failed.length,
    overdue: overdue.length,
    incomplete: incomplete.length,
    oldest: times.length === 0 || times.includes(undefined) ? null : new Date(Math.min(...(times as number[]))).toISOString(),
    size: sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0),
    verified:
      verified === null
        ? null
        : { oldest: verified.oldest, damaged: [...verified.damaged] as NonNullable<FleetServer['verified']>['damaged'] },
    problems,
  };
}

function lastGood({ name, good }: NamedUnit, lastSnapshots: ReadUnits['lastSnapshots']): number | undefined {
  return good === undefined ? lastSnapshots.get(name) : Date.parse(good.time);
}
