import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { isServerId, isTimedId, isUnitId } from '../ids.ts';
import type { LogLink } from '../run-record.ts';

/** What a machine saw of a server's runs. */
export interface SeenRuns {
  /** The newest. */
  readonly head?: LogLink;
  /** One whose record this machine was about to write: a crash may have come before that or behind it. */
  readonly pending?: Pick<LogLink, 'sequence' | 'id'>;
}

function runsFile(stateFolder: string, server: string): string {
  return join(stateFolder, 'seen', `${server}.json`);
}

function snapshotFile(stateFolder: string, unit: string): string {
  return join(stateFolder, 'seen/units', `${unit}.json`);
}

function removedFile(stateFolder: string): string {
  return join(stateFolder, 'seen', 'removed-notes.json');
}

function readJson(file: string): Record<string, unknown> {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Lost or damaged: as if nothing had been seen.
    return {};
  }
}

function isPoint(value: unknown): value is Pick<LogLink, 'sequence' | 'id'> {
  const { sequence, id } = (value ?? {}) as Partial<LogLink>;
  return Number.isSafeInteger(sequence) && typeof id === 'string' && isTimedId(id);
}

function isLink(value: unknown): value is LogLink {
  return isPoint(value) && /^[0-9a-f]{64}$/.test((value as Partial<LogLink>).sha256 ?? '');
}

export function readSeenRuns(stateFolder: string, server: string): SeenRuns {
  const { head, pending } = readJson(runsFile(stateFolder, server));
  return { ...(isLink(head) ? { head } : {}), ...(isPoint(pending) ? { pending } : {}) };
}

/** The ids of the servers of which this machine saw runs; none where nothing is remembered. */
export function seenServers(stateFolder: string): string[] {
  try {
    return readdirSync(join(stateFolder, 'seen')).flatMap((name) => {
      const id = name.replace(/\.json$/, '');
      return id !== name && isServerId(id) ? [id] : [];
    });
  } catch {
    // Lost: as if nothing had been seen.
    return [];
  }
}

/** Throws where that cannot be kept. */
export function keepSeenRuns(stateFolder: string, server: string, seen: SeenRuns): void {
  replaceFile(runsFile(stateFolder, server), Buffer.from(`${JSON.stringify(seen)}\n`));
}

/** The id of the newest snapshot of a unit that this machine stored or built on; undefined when it knows of none. */
export function readSeenSnapshot(stateFolder: string, unit: string): string | undefined {
  const { id } = readJson(snapshotFile(stateFolder, unit));
  return typeof id === 'string' && isTimedId(id) ? id : undefined;
}

/** The ids of missing snapshots of a unit that a run has told already. */
export function readTold(stateFolder: string, unit: string): string[] {
  const { told } = readJson(snapshotFile(stateFolder, unit));
  return Array.isArray(told) ? told.filter((id): id is string => typeof id === 'string' && isTimedId(id)) : [];
}

/** Throws where that cannot be kept. */
export function keepTold(stateFolder: string, unit: string, told: readonly string[]): void {
  keep(stateFolder, unit, { id: readSeenSnapshot(stateFolder, unit), told });
}

/** So many removed notes are remembered. One is removed when an account that was said to be gone is there again. */
const REMOVED_NOTES = 10_000;

/** The ids of notes that this machine took back: one that stands again was put there by somebody else. */
export function readRemovedNotes(stateFolder: string): string[] {
  const { notes } = readJson(removedFile(stateFolder));
  return Array.isArray(notes) ? notes.filter((id): id is string => typeof id === 'string' && isTimedId(id)) : [];
}

/** Throws where that cannot be kept. */
export function keepRemovedNote(stateFolder: string, id: string): void {
  const notes = [...readRemovedNotes(stateFolder), id].slice(-REMOVED_NOTES);
  replaceFile(removedFile(stateFolder), Buffer.from(`${JSON.stringify({ notes })}\n`));
}

/** The ids of the units of which a snapshot was seen. */
export function seenUnits(stateFolder: string): string[] {
  try {
    const units = readdirSync(join(stateFolder, 'seen/units')).map((file) => file.replace(/\.json$/, ''));
    return units.filter((unit) => isUnitId(unit) && readSeenSnapshot(stateFolder, unit) !== undefined);
  } catch {
    // Lost or damaged: as if nothing had been seen.
    return [];
  }
}

/** Does nothing when that is what it says already; undefined: of none. Throws where that cannot be kept. */
export function keepSeenSnapshot(stateFolder: string, unit: string, id: string | undefined): void {
  if (readSeenSnapshot(stateFolder, unit) !== id) keep(stateFolder, unit, { id, told: readTold(stateFolder, unit) });
}

function keep(
  stateFolder: string,
  unit: string,
  { id, told }: { readonly id: string | undefined; readonly told: readonly string[] },
): void {
  const seen = { ...(id === undefined ? {} : { id }), ...(told.length === 0 ? {} : { told }) };
  replaceFile(snapshotFile(stateFolder, unit), Buffer.from(`${JSON.stringify(seen)}\n`));
}

/** Of no unit. Throws where that cannot be kept. */
export function forgetSeenSnapshots(stateFolder: string): void {
  rmSync(join(stateFolder, 'seen/units'), { recursive: true, force: true });
}
