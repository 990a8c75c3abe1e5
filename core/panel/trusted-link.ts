import { closeDescriptor, openAt, openHandleAt, openTrustedDirectory, readLinkAt } from '../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../linux/flags.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';

/** As many as path resolution (path_resolution(7)) has links lead on. */
const MOST_LINKS = 40;
const OTHERS_MAY_WRITE = 0o022;
const STICKY = 0o1000;
const ROOT = 0;

/** Where a link leads, or why it is not followed, in words; `isAway`: what it leads to is not there. */
export type FollowedLink = { readonly path: ByteString } | { readonly reason: string; readonly isAway?: boolean };

const stat = new StatBuffer();

/**
 * Follows the link at an absolute path to a directory, one component at a time, and only where root alone decides where it leads: every
 * folder on the way, every link and the directory itself is root's, and nobody else can put something in their place.
 */
export function followTrustedLink(path: ByteString): FollowedLink {
  let rest = componentsOf(path);
  let here: ByteString = '';
  let folder = openTrustedDirectory('/');
  try {
    for (let links = 0; rest.length > 0; ) {
      const [name, ...others] = rest as [ByteString, ...ByteString[]];
      if (name === '..') return { reason: 'is a link over “..”, which is not followed' };
      const full = `${here}/${name}`;
      if (!statAt(folder, name, stat)) return { reason: `is a link that leads to ${full}, which is not there`, isAway: true };
      if (stat.uid !== ROOT) return { reason: `is a link that is not followed: ${full} is not root’s` };
      const { kind } = stat;
      if (!isGuarded(folder)) return { reason: `is a link that is not followed: others than root can replace ${full}` };
      if (kind === 'symlink') {
        if (++links > MOST_LINKS) return { reason: 'is a link that leads in a circle' };
        const target = readLink(folder, name);
        rest = [...componentsOf(target), ...others];
        if (!target.startsWith('/')) continue;
        here = '';
        closeDescriptor(folder);
        folder = openTrustedDirectory('/');
        continue;
      }
      if (kind !== 'directory') return { reason: `is a link that leads to ${full}, which is no directory` };
      const next = openAt(folder, name, O_RDONLY | O_DIRECTORY);
      closeDescriptor(folder);
      folder = next;
      here = full;
      rest = others;
    }
    return { path: here === '' ? '/' : here };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return { reason: `is a link that cannot be followed: ${(error as Error).message}` };
  } finally {
    closeDescriptor(folder);
  }
}

function componentsOf(path: ByteString): ByteString[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

/** Whether nobody but root can replace what is root's in an open directory: in a sticky one nobody else can. */
function isGuarded(folder: number): boolean {
  statDescriptor(folder, stat);
  return stat.uid === ROOT && ((stat.mode & OTHERS_MAY_WRITE) === 0 || (stat.mode & STICKY) !== 0);
}

function readLink(folder: number, name: ByteString): ByteString {
  const handle = openHandleAt(folder, name);
  try {
    return readLinkAt(handle, '');
  } finally {
    closeDescriptor(handle);
  }
}
