import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Progress } from '../../context/context.ts';
import { Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { JobMethod } from '../../schemas/jobs.ts';
import type { WireError } from '../../schemas/parts.ts';
import { FILES, recordFolder } from './places.ts';
import { readRegular, writeRegular } from './regular-file.ts';

/** Who asked for a job. */
export type Asker =
  | { readonly role: 'administrator'; readonly site: null; readonly incarnation: null }
  /** `incarnation` tells the account from a later one of the same name. */
  | { readonly role: 'owner'; readonly site: string; readonly incarnation: string };

/** What a job is; it never changes. */
export interface JobRecord {
  readonly id: string;
  readonly method: JobMethod;
  readonly request: Readonly<Record<string, unknown>>;
  readonly asker: Asker;
  readonly user: string | null;
  /** RFC 3339 UTC. */
  readonly created: string;
  /** Relative paths of the request begin here. */
  readonly directory: string;
}

/** How a job ended. */
export interface JobOutcome {
  readonly state: 'ok' | 'partial' | 'failed' | 'damaged' | 'cancelled';
  /** RFC 3339 UTC. */
  readonly ended: string;
  readonly result: object | null;
  readonly error: WireError | null;
}

/** In bytes. */
const RESERVE = 8192;

/** A link is no record either. */
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']);

/** Makes the record of a job: all of it, or none. Only root can read it. Throws what the system says when it has no room, or is read-only. */
export function createRecord(stateDirectory: string, record: JobRecord): string {
  const folder = recordFolder(stateDirectory, record.id);
  const making = `${folder}.new`;
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  try {
    mkdirSync(making, { mode: 0o700 });
    writeFileSync(join(making, FILES.job), JSON.stringify(record), { mode: 0o600 });
    writeFileSync(join(making, FILES.reserve), ' '.repeat(RESERVE), { mode: 0o600 });
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** The record in a folder; undefined when there is none, or it is not whole. Throws what the system says when it cannot be read. */
export function readRecord(folder: string): JobRecord | undefined {
  const value = readJson<JobRecord>(folder, FILES.job);
  if (value === undefined || !areTexts(value.id, value.method, value.created, value.directory, value.user ?? '')) return undefined;
  if (!isObject(value.request) || !isObject(value.asker)) return undefined;
  return areTexts(value.asker.role, value.asker.site ?? '', value.asker.incarnation ?? '') ? value : undefined;
}

/** The same of one that others than the asker need: undefined, too, when it cannot be read. */
export function recordIfReadable(folder: string): JobRecord | undefined {
  return ifReadable(() => readRecord(folder));
}

/** Undefined when it has none yet. Throws what the system says when it cannot be read. */
export function readOutcome(folder: string): JobOutcome | undefined {
  const value = readJson<JobOutcome>(folder, FILES.outcome);
  if (value === undefined || !areTexts(value.state, value.ended)) return undefined;
  const { result, error } = value;
  if (result !== null && !isObject(result)) return undefined;
  const isError = isObject(error) && areTexts(error.code, error.message, error.advice ?? '') && Array.isArray(error.affected);
  return error === null || isError ? value : undefined;
}

export function readBegun(folder: string): string | null {
  const time = ifReadable(() => readJson<{ time: string }>(folder, FILES.begun))?.time;
  return typeof time === 'string' ? time : null;
}

export function readProgress(folder: string): Progress | undefined {
  return ifReadable(() => readJson<Progress>(folder, FILES.progress));
}

/** Whether somebody asked the job in this folder to stop. */
export function isAskedToStop(folder: string): boolean {
  return existsSync(join(folder, FILES.cancel));
}

/**
 * Asks the job in a folder to stop. On a full disk the room gives way that was kept for its outcome: stopping it may be what makes room.
 * Throws what the system says.
 */
export function askToStop(folder: string): void {
  const file = join(folder, FILES.cancel);
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch (error) {
    if (!existsSync(join(folder, FILES.reserve))) throw error;
    renameSync(join(folder, FILES.reserve), file);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function areTexts(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

/** Replaced whole, so that no reader finds half of it; after a power failure no job goes on, and nobody needs it. */
export function writeJson(folder: string, name: string, value: object): void {
  const file = join(folder, name);
  writeRegular(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
}

/**
 * Writes how a job ended. Without room for all of it the events give way; without any, the outcome without its result goes where room was
 * kept for it.
 */
export function writeOutcome(folder: string, outcome: JobOutcome): void {
  try {
    writeJson(folder, FILES.outcome, outcome);
    return;
  } catch {
    for (const name of [FILES.earlierEvents, FILES.events, FILES.progress, `${FILES.outcome}.new`]) makeRoom(join(folder, name));
  }
  try {
    writeJson(folder, FILES.outcome, outcome);
  } catch {
    const { state, ended } = outcome;
    const error = outcome.error && { ...outcome.error, message: outcome.error.message.slice(0, 500), affected: [] };
    const text = JSON.stringify({ state, ended, error, result: null } satisfies JobOutcome).padEnd(RESERVE);
    writeFileSync(join(folder, FILES.reserve), text, { flag: 'r+' });
    renameSync(join(folder, FILES.reserve), join(folder, FILES.outcome));
  }
}

function makeRoom(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // What room is kept for the outcome is left.
  }
}

/** Undefined when there is none, or it is not whole. */
function readJson<Value>(folder: string, name: string): Value | undefined {
  try {
    const value = JSON.parse(readRegular(join(folder, name))) as Value;
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || ABSENT.has(errorCode(error))) return undefined;
    throw error;
  }
}

function ifReadable<Value>(read: () => Value | undefined): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What the request of a job names; empty: everything. */
export function unitsOfRequest({ units, unit }: Readonly<Record<string, unknown>>): string[] {
  if (Array.isArray(units)) return units.map(String);
  return typeof unit === 'string' ? [unit] : [];
}

export function unknownJob(id: string): Failure {
  return new Failure('job_unknown', `there is no job ${id}`, { affected: [id], advice: 'See `apiscp-backup jobs`.' });
}
