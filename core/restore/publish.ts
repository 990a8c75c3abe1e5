import { geteuid } from 'node:process';
import { Failure } from '../failure.ts';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, removeDirectoryAt, renameAt, unlinkAt } from '../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { hiddenName } from './names.ts';
import { checkReplaceable } from './owner-rights.ts';
import { pastProtection } from './protection.ts';
import { clearAway } from './remove-tree.ts';
import type { WriteRules } from './rules.ts';
import type { Place } from './target.ts';

const stat = new StatBuffer();

/**
 * Renames the finished `from` (of directory `fromDirectory`) over `place`. What stood there keeps its other names, and a link
 * there is replaced, not followed. Throws `target_in_the_way` for a directory with entries unless the rules let it go.
 */
export function publish(fromDirectory: number, from: ByteString, place: Place, path: ByteString, rules: WriteRules): void {
  if (place.name === '') throw new Failure('target_in_the_way', 'this is the directory that is restored into', { affected: [path] });
  checkReplaceable(place.directory, place.name, rules.owner);
  const rename = () => renameAt(fromDirectory, from, place.directory, place.name);
  try {
    pastProtection(place.directory, place.name, rules.owner, rename);
  } catch (error) {
    if (errorCode(error) !== 'EISDIR') throw error;
    clearDirectory(place, path, rules);
    rename();
  }
}

function clearDirectory(place: Place, path: ByteString, rules: WriteRules): void {
  if (rules.removeDirectories) {
    clearAway(place.directory, place.name, path, rules);
    return;
  }
  try {
    pastProtection(place.directory, place.name, rules.owner, () => removeDirectoryAt(place.directory, place.name));
  } catch (error) {
    throw new Failure('target_in_the_way', 'a directory with entries stands here', {
      affected: [path],
      advice: 'Move it away, or restore with deletion.',
      cause: error,
    });
  }
}

/** The one name that is used inside a staging directory. */
export const STAGED = 'entry';

/**
 * Runs `action` with a directory beside the entry's place that nobody but root can enter. What is made there as `STAGED` is certainly
 * the object that is opened there a moment later, which a directory of a tenant cannot promise for links and special files:
 * they have no O_EXCL descriptor. The directory is gone afterwards.
 */
export function withStaging(directory: number, action: (staging: number) => void): void {
  const name = hiddenName();
  makeDirectoryAt(directory, name, 0o700);
  const staging = openDirectoryAt(directory, name);
  try {
    statDescriptor(staging, stat);
    if (stat.uid !== geteuid?.() || (stat.mode & 0o077) !== 0) throw new Failure('replaced', 'the directory made for working was replaced');
    action(staging);
  } finally {
    if (statAt(staging, STAGED, stat)) unlinkAt(staging, STAGED);
    closeDescriptor(staging);
    removeDirectoryAt(directory, name);
  }
}
