import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'heard-events.json';

/** By whom the panel has an event of an account told: a module of it, or a script of its hooks. */
export type Teller = 'module' | 'script';

/** When each told something last, RFC 3339 UTC. */
export type Heard = Readonly<Partial<Record<Teller, string>>>;

/** Empty when nothing is known. */
export function readHeard(stateDirectory: string): Heard {
  try {
    const { module, script } = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as Record<string, unknown>;
    return { ...(typeof module === 'string' ? { module } : {}), ...(typeof script === 'string' ? { script } : {}) };
  } catch {
    return {};
  }
}

/** Never throws: what cannot be kept, `doctor` does not tell. */
export function noteHeard(stateDirectory: string, by: Teller, time: Date): void {
  try {
    replaceFile(join(stateDirectory, FILE), Buffer.from(`${JSON.stringify({ ...readHeard(stateDirectory), [by]: time.toISOString() })}\n`));
  } catch {
    // Said above.
  }
}
