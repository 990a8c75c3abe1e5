import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LastNight } from '../chain/night.ts';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'night.json';

/** What became of one step of a night. */
export interface NightStep {
  readonly step: 'run' | 'copy' | 'prune' | 'prune-copies' | 'lock' | 'verify';
  readonly status: 'ok' | 'partial' | 'failed' | 'damaged' | 'skipped';
  /** For people. */
  readonly message: string;
}

/** The last automatic backup, as the state directory remembers it. */
export interface NightNote extends LastNight {
  readonly steps: readonly NightStep[];
}

function isStep({ step, status, message }: NightStep): boolean {
  return [step, status, message].every((text) => typeof text === 'string');
}

/** Undefined when there was none yet, or nothing is known of it. */
export function readNight(stateDirectory: string): NightNote | undefined {
  try {
    const note = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as NightNote;
    const isWhole = [note.begun, note.tried, note.tries].every(Number.isSafeInteger) && note.steps.every(isStep);
    return isWhole ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Throws what the system says where it cannot be kept. */
export function writeNight(stateDirectory: string, note: NightNote): void {
  replaceFile(join(stateDirectory, FILE), Buffer.from(`${JSON.stringify(note)}\n`));
}
