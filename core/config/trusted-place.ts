import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

const OTHERS_MAY_WRITE = 0o022;
/** Of a folder with this bit, such as /tmp, nobody takes away or renames what is another's. */
const STICKY = 0o1000;

/** Which part of a path others than root could change, and why; for people. */
export interface Untrusted {
  readonly place: string;
  readonly reason: string;
}

/**
 * Why others than root, or this process' user, could change what a path leads to; undefined when nobody could. Links are followed
 * first, and then every folder counts, from the root on: whoever can rename one of them can put another in its place. What does not
 * exist yet is judged by the folders that do.
 */
export function untrusted(path: string): Untrusted | undefined {
  const real = existing(path);
  const parts = real.split('/').filter(Boolean);
  const places = ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
  for (const [index, place] of places.entries()) {
    const reason = weakness(lstatSync(place), index < places.length - 1);
    if (reason !== undefined) return { place, reason };
  }
  return undefined;
}

function weakness(status: Stats, isAbove: boolean): string | undefined {
  if (status.uid !== 0 && status.uid !== process.geteuid?.()) return `it belongs to the user ${status.uid}`;
  if (status.isSymbolicLink()) return 'it was replaced by a link meanwhile';
  if ((status.mode & OTHERS_MAY_WRITE) === 0 || (isAbove && (status.mode & STICKY) !== 0)) return undefined;
  return (status.mode & 0o002) === 0 ? `the group ${status.gid} may write to it` : 'everybody may write to it';
}

/** The path without links, or that of the nearest folder above it that exists. */
function existing(path: string): string {
  for (let place = path; ; place = dirname(place)) {
    try {
      return realpathSync(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || place === '/') throw error;
    }
  }
}
