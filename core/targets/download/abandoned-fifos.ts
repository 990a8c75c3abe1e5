import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What the panel's module calls the FIFOs that it makes for downloads; the panel's own have shorter names. */
const OURS = /^id-[a-z][a-z0-9]*-[0-9a-f]{32}$/;

/** In milliseconds. A job waits a day for its turn and minutes for its reader, and takes the name away when that one comes. */
const NOBODYS = 2 * 86_400_000;

/**
 * Removes FIFOs that were made for a download of which no job came, because the panel's process was killed in between. Nobody knows their names.
 * Never throws.
 */
export function removeAbandonedFifos(now: number, folder = '/tmp'): void {
  try {
    for (const name of readdirSync(folder).filter((name) => OURS.test(name))) removeIfOld(join(folder, name), now);
  } catch {
    // The next job tries it again.
  }
}

function removeIfOld(fifo: string, now: number): void {
  const stat = lstatSync(fifo, { throwIfNoEntry: false });
  if (stat?.isFIFO() === true && (stat.mode & 0o077) === 0 && now - stat.mtimeMs > NOBODYS) unlinkSync(fifo);
}
