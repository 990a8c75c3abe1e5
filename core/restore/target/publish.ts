import { Failure } from '../../failure.ts';
import { removeDirectoryAt, renameAt, unlinkAt } from '../../linux/files.ts';
import { StatBuffer, statAt } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { clearAway } from '../directories/tree-removal.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import type { WriteRules } from '../rules.ts';
import { pastProtection } from './protection.ts';
import type { Place } from './target.ts';

const stat = new StatBuffer();

/**
 * Renames the finished `staged` of the staging folder over `place`. What stood there keeps its other names, and a link there is
 * replaced, not followed. Throws `target_in_the_way` for a directory with entries unless the rules let it go.
 */
export function publish(staged: ByteString, place: Place, path: ByteString, rules: WriteRules): void {
  if (place.name === '') throw new Failure('target_in_the_way', 'this is the directory that is restored into', { affected: [path] });
  checkDirectory(place.directory, rules.owner);
  const rename = () => renameAt(place.staging, staged, place.directory, place.name);
  try {
    pastProtection(place.directory, place.name, rules.owner, rename);
  } catch (error) {
    if (errorCode(error) !== 'EISDIR') throw error;
    rules.onCleared?.(clearDirectory(place, path, rules));
    rename();
  }
}

/**
 * Removes the directory that stands where something else belongs; gives the number of entries that were in it. Throws
 * `target_in_the_way` when there are any and the rules do not let them go. A dry run says with `foreseen` how many names are in
 * it, and nothing is removed.
 */
export function clearDirectory(place: Place, path: ByteString, rules: WriteRules, foreseen?: number): number {
  if (rules.removeDirectories) return clearAway(place.directory, place.name, path, rules, foreseen !== undefined);
  try {
    if (foreseen === 0) return 0;
    if (foreseen !== undefined) throw new Failure('target_in_the_way', 'it has entries');
    pastProtection(place.directory, place.name, rules.owner, () => removeDirectoryAt(place.directory, place.name));
    return 0;
  } catch (error) {
    throw new Failure('target_in_the_way', 'a directory with entries stands here', {
      affected: [path],
      advice: 'Move it away, or restore with deletion.',
      cause: error,
    });
  }
}

/** Has nothing stand at `place`: of a directory only what `clearDirectory` lets go. */
export function clearPlace(place: Place, path: ByteString, rules: WriteRules): void {
  checkDirectory(place.directory, rules.owner);
  if (!statAt(place.directory, place.name, stat)) return;
  if (stat.isDirectory) rules.onCleared?.(clearDirectory(place, path, rules));
  else pastProtection(place.directory, place.name, rules.owner, () => unlinkAt(place.directory, place.name));
}

/** Removes what was not finished from the staging folder, if it is still there. */
export function discard(staging: number, staged: ByteString): void {
  try {
    unlinkAt(staging, staged);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
