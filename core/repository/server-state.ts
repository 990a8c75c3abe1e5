import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { replaceFile } from '../config/replace-file.ts';
import { tryLock } from '../linux/locks.ts';
import { isServerId, isTimedId } from './ids.ts';
import { SERVER_FILE } from './layout.ts';

const LOCK_FILE = 'server.lock';
/** Milliseconds between two attempts to take the lock, which is held for a moment only. */
const LOCK_PAUSE = 5;

/** What the state directory remembers: under which id this machine writes, and what it wrote last. */
export interface ServerState {
  readonly server: string;
  /** `machineDigest` of the machine that wrote this. */
  readonly machine: string;
  /**
   * The ids of the last runs, in their order: the newest, the one before, and those that a clock which was ahead dated later.
   * Undefined when nothing is known.
   */
  readonly runs?: readonly string[];
}

/** Undefined when it is lost or unreadable: the repository says who this is, too. */
export function readServerState(stateFolder: string): ServerState | undefined {
  try {
    const { server, machine, runs } = JSON.parse(readFileSync(join(stateFolder, SERVER_FILE), 'utf8')) as Record<string, unknown>;
    if (typeof server !== 'string' || !isServerId(server) || typeof machine !== 'string') return undefined;
    const known = Array.isArray(runs) ? runs.filter((id) => typeof id === 'string' && isTimedId(id)) : undefined;
    return { server, machine, ...(known === undefined ? {} : { runs: known as string[] }) };
  } catch {
    return undefined;
  }
}

/** Does nothing when that is what it says already. */
export function writeServerState(stateFolder: string, state: ServerState): void {
  if (JSON.stringify(readServerState(stateFolder)) === JSON.stringify(state)) return;
  replaceFile(join(stateFolder, SERVER_FILE), Buffer.from(`${JSON.stringify(state)}\n`));
}

/** Where it cannot be kept, none is better than an old one, to which the next run would be a stranger's. Needs no room. */
export function forgetServerState(stateFolder: string): void {
  rmSync(join(stateFolder, SERVER_FILE), { force: true });
}

/**
 * To be called before the record of a run is written: a crash between the two leaves an id that nothing has, which harms nobody. `stored`
 * gives the runs that the repository has; it is asked when the clock went back behind the runs that are known.
 */
export async function rememberRun(stateFolder: string, run: string, stored: () => Promise<readonly string[]>): Promise<void> {
  if (readServerState(stateFolder) === undefined) {
    // There is none, or it cannot be read just now: then it would be found again without this run, which would be a stranger's.
    forgetServerState(stateFolder);
    return;
  }
  // Runs of single units can end side by side.
  const lock = openSync(join(stateFolder, LOCK_FILE), 'a', 0o600);
  try {
    while (!tryLock(lock)) await setTimeout(LOCK_PAUSE);
    await addRun(stateFolder, run, stored);
  } finally {
    closeSync(lock);
  }
}

/** Does something while no other process does anything under this lock; on a disk that takes no file for it without that. */
export async function withStateLock<T>(stateFolder: string, file: string, action: () => Promise<T>): Promise<T> {
  let lock: number | undefined;
  try {
    lock = openSync(join(stateFolder, file), 'a', 0o600);
  } catch {
    return action();
  }
  try {
    while (!tryLock(lock)) await setTimeout(LOCK_PAUSE);
    return await action();
  } finally {
    closeSync(lock);
  }
}

async function addRun(stateFolder: string, run: string, stored: () => Promise<readonly string[]>): Promise<void> {
  const state = readServerState(stateFolder);
  if (state === undefined) {
    forgetServerState(stateFolder);
    return;
  }
  const known = (state.runs ?? []).filter((id) => id !== run);
  const [oldest = ''] = known;
  // What is older than all that is named here counts as known, and must go on to do so.
  const between = run < oldest ? (await stored()).filter((id) => id > run && id < oldest) : [];
  const others = [...between, ...known].sort();
  const before = others.filter((id) => id < run).slice(-1);
  writeServerState(stateFolder, { ...state, runs: [...before, run, ...others.filter((id) => id > run)] });
}

/** The runs among `stored` (ids) that this machine knows nothing of: somebody else wrote them as this server, after its own last ones. */
export function strangeRuns({ runs }: ServerState, stored: readonly string[]): string[] {
  if (runs === undefined) return [];
  const oldest = runs[0] ?? '';
  return stored.filter((id) => id > oldest && !runs.includes(id)).sort();
}

/** What a state says that begins with these stored runs. */
export function knownRuns(stored: readonly string[]): readonly string[] {
  return [...stored].sort().slice(-2);
}
