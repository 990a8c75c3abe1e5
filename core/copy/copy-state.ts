import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'copied.json';

/** How the last copy to a place ended. */
export interface CopyState {
  /** When it was begun, RFC 3339 UTC. */
  readonly time: string;
  readonly status: 'ok' | 'partial' | 'failed';
  /** Why it failed, or what was wrong; null when nothing was. */
  readonly message: string | null;
  /** When one last went well; null: never. */
  readonly lastGood: string | null;
}

/** Undefined when none was made, or nobody knows. `stateFolder` is that of the copy. */
export function readCopyState(stateFolder: string): CopyState | undefined {
  try {
    const { time, status, message, lastGood } = JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8')) as Partial<CopyState>;
    if (typeof time !== 'string' || (status !== 'ok' && status !== 'partial' && status !== 'failed')) return undefined;
    return {
      time,
      status,
      message: typeof message === 'string' ? message : null,
      lastGood: typeof lastGood === 'string' ? lastGood : null,
    };
  } catch {
    return undefined;
  }
}

/** Throws where it cannot be kept. */
export function keepCopyState(stateFolder: string, ended: Omit<CopyState, 'lastGood'>): void {
  const lastGood = ended.status === 'ok' ? ended.time : (readCopyState(stateFolder)?.lastGood ?? null);
  replaceFile(join(stateFolder, FILE), Buffer.from(`${JSON.stringify({ ...ended, lastGood })}\n`));
}
