import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { isUnitId } from '../repository/ids.ts';

const FOLDER = 'leaving';

/** An account that the panel said it was going to delete. */
export interface LeavingAccount {
  /** The id of its unit. */
  readonly unit: string;
  /** When the panel said so, in milliseconds since 1970. */
  readonly at: number;
}

/** Remembers that an account is going to be deleted. Throws what the system says where it cannot be kept. */
export function noteLeaving(stateDirectory: string, { unit, at }: LeavingAccount): void {
  mkdirSync(join(stateDirectory, FOLDER), { recursive: true, mode: 0o700 });
  replaceFile(join(stateDirectory, FOLDER, `${unit}.json`), Buffer.from(`${JSON.stringify({ at })}\n`));
}

/** All of which it is not known yet whether they went. */
export function leavingAccounts(stateDirectory: string): LeavingAccount[] {
  return namesIn(join(stateDirectory, FOLDER)).flatMap((name) => {
    const unit = name.replace(/\.json$/, '');
    return name.endsWith('.json') && isUnitId(unit) ? [{ unit, at: timeIn(join(stateDirectory, FOLDER, name)) }] : [];
  });
}

/** What cannot be read was said long ago. */
function timeIn(file: string): number {
  try {
    const { at } = JSON.parse(readFileSync(file, 'utf8')) as { at?: unknown };
    return typeof at === 'number' && Number.isSafeInteger(at) ? at : 0;
  } catch {
    return 0;
  }
}

export function forgetLeaving(stateDirectory: string, unit: string): void {
  rmSync(join(stateDirectory, FOLDER, `${unit}.json`), { force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
