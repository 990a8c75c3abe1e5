import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

const OTHERS_MAY_WRITE = 0o022;
/** Of a folder with this bit, such as /tmp, nobody takes away or renames what is another's. */
const STICKY = 0o1000;
/** As many as path resolution (path_resolution(7)) has links lead on. */
const MOST_LINKS = 40;

/** Which part of a path others than root could change, and why; for people. */
export interface Untrusted {
  readonly place: string;
  readonly reason: string;
}

/**
 * Why others than root, or this process' user, could change what a path leads to; undefined when nobody could. Every folder on the way
 * counts, those of links included, from the root on: whoever can rename one of them can put another in its place. What does not exist yet
 * will be its maker's, and is judged by the folder that it will be in; whoever makes it asks again, for others may have been quicker in a
 * sticky one.
 */
export function untrusted(path: string): Untrusted | undefined {
  let place = '/';
  let rest = componentsOf(isAbsolute(path) ? path : resolve(path));
  for (let links = 0; ; ) {
    const [name, ...others] = rest;
    const status = lstatSync(place);
    const reason = weakness(status, name !== undefined);
    if (reason !== undefined) return { place, reason };
    if (name === undefined) return undefined;
    rest = others;
    if (name === '..') {
      place = dirname(place);
      continue;
    }
    const next = join(place, name);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isSymbolicLink()) {
      place = next;
      continue;
    }
    // Where only root can write a link is as it was made; in a sticky folder it is its owner's.
    if ((status.mode & OTHERS_MAY_WRITE) !== 0 && !isOurs(found)) return { place: next, reason: `it is a link of the user ${found.uid}` };
    if (++links > MOST_LINKS) return { place: next, reason: 'it is a link that leads in a circle' };
    const target = readlinkSync(next);
    rest = [...componentsOf(target), ...rest];
    if (isAbsolute(target)) place = '/';
  }
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

function isOurs({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function weakness(status: Stats, isAbove: boolean): string | undefined {
  if (!isOurs(status)) return `it belongs to the user ${status.uid}`;
  if (status.isSymbolicLink()) return 'it was replaced by a link meanwhile';
  if ((status.mode & OTHERS_MAY_WRITE) === 0 || (isAbove && (status.mode & STICKY) !== 0)) return undefined;
  return (status.mode & 0o002) === 0 ? `the group ${status.gid} may write to it` : 'everybody may write to it';
}
