import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'pruned.json';

/** How the last prune of a copy ended. */
export interface PruneState {
  /** When it was begun, RFC 3339 UTC. */
  readonly time: string;
  /** Why it failed, or left something; null when it did neither. */
  readonly problem: string | null;
}

/** Undefined when none was made, or nobody knows. `stateFolder` is that of the copy. */
export function readPruneState(stateFolder: string): PruneState | undefined {
  try {
    const { time, problem } = JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8')) as Partial<PruneState>;
    return typeof time === 'string' ? { time, problem: typeof problem === 'string' ? problem : null } : undefined;
  } catch {
    return undefined;
  }
}

/** Throws where it cannot be kept. */
export function keepPruneState(stateFolder: string, state: PruneState): void {
  replaceFile(join(stateFolder, FILE), Buffer.from(`${JSON.stringify(state)}\n`));
}
