import type { ToldProblem } from './night-report.ts';
import { oneLine, someOf } from './plain-text.ts';

/** Problems of one kind and one reason. */
export interface ProblemGroup {
  readonly code: string;
  /** Whom it concerns; empty when it is the server as a whole. */
  readonly who: string;
  readonly count: number;
  readonly units: readonly string[];
  readonly message: string;
  readonly advice: string;
  /** The earliest; null when none of them was noticed before. */
  readonly since: string | null;
}

export interface ProblemGroups {
  readonly shown: readonly ProblemGroup[];
  /** Problems that are in no group that is shown. */
  readonly left: number;
}

const MOST_GROUPS = 20;
const MOST_NAMES = 10;
const MOST_UNITS = 100;
const LONGEST_MESSAGE = 400;
const LONGEST_ADVICE = 250;

const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Puts together what has the same cause: a full disk is one thing to read, however many accounts it keeps from their backup. */
export function groupProblems(problems: readonly ToldProblem[], domains: ReadonlyMap<string, string>): ProblemGroups {
  const byCause = Map.groupBy(problems, ({ code, unit, message }) => JSON.stringify([code, unit === null, causeOf(message, unit)]));
  const groups = [...byCause.values()];
  const shown = groups.slice(0, MOST_GROUPS).map((members) => groupOf(members, domains));
  return { shown, left: groups.slice(MOST_GROUPS).reduce((sum, { length }) => sum + length, 0) };
}

function causeOf(message: string, unit: string | null): string {
  const timeless = message.replaceAll(TIME, '');
  return unit === null ? timeless : timeless.replaceAll(unit, '');
}

function groupOf(members: readonly ToldProblem[], domains: ReadonlyMap<string, string>): ProblemGroup {
  const [first] = members as [ToldProblem];
  const units = members.map(({ unit }) => unit).filter((unit) => unit !== null);
  const [since = null] = members
    .map((member) => member.since)
    .filter((time) => time !== null)
    .sort();
  return {
    code: first.code,
    who: oneLine(units.length > 1 ? `${units.length} accounts (${someOf(units, MOST_NAMES)})` : named(units[0], domains), 300),
    count: members.length,
    units: units.slice(0, MOST_UNITS),
    message: oneLine(first.message, LONGEST_MESSAGE),
    advice: oneLine(first.advice, LONGEST_ADVICE),
    since,
  };
}

function named(unit: string | undefined, domains: ReadonlyMap<string, string>): string {
  if (unit === undefined) return '';
  const domain = domains.get(unit);
  return domain === undefined ? unit : `${unit} (${domain})`;
}
