import { Failure } from '../failure.ts';

/** What stands for everything, when somebody says so. */
const ALL = 'all';

function check(unit: string): void {
  if (unit !== '') return;
  throw new Failure('usage', 'the name of the unit is empty: a variable of the shell may not be set', {
    advice: 'Name a unit, such as site12, or say `all`.',
  });
}

/** Whether words of a command line say `all`, and nothing else. Throws `usage` when they say something else beside it. */
export function saysAll(words: readonly string[]): boolean {
  if (!words.includes(ALL)) return false;
  if (words.length === 1) return true;
  throw new Failure('usage', '`all` stands alone', { affected: words });
}

/** Units of a command line as a request has them: none for everything. */
export function unitArguments(units: readonly string[]): { readonly units?: readonly string[] } {
  units.forEach(check);
  return units.length === 0 || saysAll(units) ? {} : { units };
}

/** The same where there is one at most. */
export function unitArgument(unit: string | undefined): { readonly unit?: string } {
  const { units: [only] = [] } = unitArguments(unit === undefined ? [] : [unit]);
  return only === undefined ? {} : { unit: only };
}

/** The same where a domain is taken, too: what has a dot is one. */
export function subjectArgument(subject: string | undefined): { readonly unit?: string } | { readonly domain: string } {
  return subject?.includes('.') === true ? { domain: subject } : unitArgument(subject);
}
