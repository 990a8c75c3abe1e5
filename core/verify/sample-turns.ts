import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import type { Notify } from '../context/notice.ts';
import { asFailure } from '../failure.ts';

/** What a sample is taken of. */
interface Sized {
  readonly path: string;
  readonly length: number;
}

/**
 * How long each pack of a unit has waited, by its path: the percents of all samples since it was read, or since it came, as one sum. Below 100; of
 * a pack that is not there it is 0.
 */
export type Waits = ReadonlyMap<string, number>;

/**
 * The packs of a unit whose turn it is, those first that waited longest: at least `percent` of all bytes, and so many more that even rate brings
 * each pack its turn before its wait is 100. So no pack waits longer than 100 / `percent` samples, however many come and go meanwhile, and none has
 * to be read in a rush.
 */
export function nextSample<Pack extends Sized>(packs: readonly Pack[], percent: number, waits: Waits): Pack[] {
  const waited = ({ path }: Sized): number => waits.get(path) ?? 0;
  const inTurn = [...packs].sort((a, b) => waited(b) - waited(a) || (a.path < b.path ? -1 : 1));
  let wanted = 0;
  let bytes = 0;
  for (const pack of inTurn) {
    bytes += pack.length;
    wanted = Math.max(wanted, (bytes * percent) / Math.max(percent, 100 - waited(pack)));
  }
  let taken = 0;
  const end = inTurn.findIndex(({ length }) => {
    taken += length;
    return taken >= wanted;
  });
  return inTurn.slice(0, end + 1);
}

/** How long packs have waited when a sample of `percent` read some of them. */
export function waitsAfter(packs: readonly Sized[], percent: number, waits: Waits, read: ReadonlySet<string>): Waits {
  const waiting = packs.filter(({ path }) => !read.has(path));
  return new Map(waiting.map(({ path }) => [path, (waits.get(path) ?? 0) + percent]));
}

/** What was kept; nothing has waited where that is lost or damaged, so that all is read within the samples of one period from then on. */
export function readWaits(stateFolder: string, unit: string): Waits {
  try {
    const stored: unknown = JSON.parse(readFileSync(fileOf(stateFolder, unit), 'utf8'));
    if (typeof stored !== 'object' || stored === null) return new Map();
    return new Map(Object.entries(stored).filter((entry): entry is [string, number] => Number.isInteger(entry[1]) && isWait(entry[1])));
  } catch {
    return new Map();
  }
}

const isWait = (value: number): boolean => value > 0 && value < 100;

/**
 * Keeps it for the next sample. Makes no state directory. Looking must work where nothing can be written; but that the next sample takes the same turns again,
 * and never comes to the others, is said.
 */
export function keepWaits(stateFolder: string, unit: string, waits: Waits, notify: Notify): void {
  if (!existsSync(stateFolder) || (waits.size === 0 && !existsSync(fileOf(stateFolder, unit)))) return;
  try {
    replaceFile(fileOf(stateFolder, unit), Buffer.from(`${JSON.stringify(Object.fromEntries(waits))}\n`));
  } catch (error) {
    const message = `the next sample reads the same again, because the state cannot be kept: ${asFailure(error).message}`;
    notify({ level: 'warning', code: 'state_unusable', message, affected: [stateFolder] });
  }
}

function fileOf(stateFolder: string, unit: string): string {
  return join(stateFolder, 'samples', `${unit}.json`);
}
