import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'samples.json';

/** What a sample is taken of: packs, in the order of their paths. */
interface Sized {
  readonly path: string;
  readonly length: number;
}

/**
 * The packs of a unit whose turn it is: those behind the last that was looked at, up to `percent` of all bytes and at least one, and from the
 * beginning again behind the end. So 100 / `percent` samples look at each.
 */
export function nextSample<Pack extends Sized>(packs: readonly Pack[], percent: number, last: string | undefined): Pack[] {
  const sorted = [...packs].sort((a, b) => (a.path < b.path ? -1 : 1));
  const begin = last === undefined ? 0 : sorted.findIndex(({ path }) => path > last);
  const inTurn = begin < 0 ? sorted : [...sorted.slice(begin), ...sorted.slice(0, begin)];
  const wanted = (sorted.reduce((sum, { length }) => sum + length, 0) * percent) / 100;
  let taken = 0;
  const end = inTurn.findIndex(({ length }) => {
    taken += length;
    return taken >= wanted;
  });
  return inTurn.slice(0, end < 0 ? inTurn.length : end + 1);
}

/** The last pack of a unit that was looked at. */
export function lastOfSample(stateFolder: string, unit: string): string | undefined {
  const path = read(stateFolder)[unit];
  return typeof path === 'string' ? path : undefined;
}

/** Keeps it for the next time; where that cannot be kept, the next sample begins where this one did. */
export function keepLastOfSample(stateFolder: string, unit: string, last: string): void {
  try {
    replaceFile(join(stateFolder, FILE), Buffer.from(`${JSON.stringify({ ...read(stateFolder), [unit]: last })}\n`));
  } catch {
    // Looking must work where nothing can be written.
  }
}

function read(stateFolder: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
