import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'discarded';
/** In milliseconds. What killed writers left in a distant place is only room that is paid for. */
const EVERY = 24 * 60 * 60 * 1000;

/** Whether what killed writers left behind is looked for this time; it counts as done then. Where nothing can be remembered, it is each time. */
export function isDiscardingDue(stateFolder: string): boolean {
  const file = join(stateFolder, FILE);
  try {
    const last = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const age = Date.now() - last;
    if (age >= 0 && age < EVERY) return false;
    writeFileSync(file, '', { mode: 0o600 });
  } catch {
    // It is asked once more than needed.
  }
  return true;
}
