import { readNames } from '../../linux/directories.ts';
import { closeDescriptor, openDirectoryAt } from '../../linux/files.ts';
import { mountOf } from '../../linux/mounts.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { type ByteString, type Entry, EntryFlags } from '../../manifest/entry.ts';
import { childPath, parentPath } from '../../manifest/paths.ts';
import { namesIn, type UpperLayer } from '../overlay/overlay-layers.ts';
import { type Extraneous, findExtraneous, type Listing } from '../plan/extraneous.ts';
import type { SelectedEntry } from '../plan/snapshot-view.ts';
import { problemOf } from '../rules.ts';

import { mayBeStaging } from '../target/staging.ts';
import type { Target } from '../target/target.ts';
import type { PassContext } from './directory-passes.ts';
import { isElsewhere, TreeRemoval } from './tree-removal.ts';

const stat = new StatBuffer();
const above = new StatBuffer();

const NOT_SEEN = 'the backup did not see all that was in this directory, so what the snapshot does not have stays';
const DAMAGED = 'what the backup has here cannot all be read, so what seems not to be in it stays';
const MOUNTED = 'something else is mounted here now, so what the snapshot does not have stays';

/**
 * Finds what has to go: with `deletion` what stands in restored directories and is not in the snapshot; through a mounted overlay
 * also what shines through a directory that the snapshot has opaque. Nothing in directories that are not `isJudged`.
 */
export function extraneousPaths(
  selected: Iterable<SelectedEntry>,
  isJudged: (directory: Entry) => boolean,
  deletion: boolean,
  context: PassContext,
): Iterable<Extraneous> {
  const { target, upper, outcome } = context;
  if (!deletion && upper === undefined) return [];
  return findExtraneous(selected, (directory): Listing | undefined => {
    if (!isJudged(directory)) return undefined;
    const { path } = directory;
    try {
      const isOverlay = upper !== undefined && target.isOverlay(path);
      const present = reachableNames(target, path);
      const names = isOverlay && present !== undefined ? upper.namesToJudge(directory, present, deletion) : deletion ? present : undefined;
      if (names === undefined) return undefined;
      if (!context.isWhole) return { names, unknown: DAMAGED };
      if ((directory.flags & EntryFlags.notAllSeen) !== 0) return { names, unknown: NOT_SEEN };
      return isEnteredMount(path, context) ? { names, unknown: MOUNTED } : { names };
    } catch (error) {
      outcome.problems.add(problemOf(path, error));
      return undefined;
    }
  });
}

/** Undefined where the directory cannot be entered, which the pass over directories has named. Throws what listing it throws. */
function reachableNames(target: Target, path: ByteString): ByteString[] | undefined {
  try {
    target.directory(path);
  } catch {
    return undefined;
  }
  return namesIn(target, path);
}

/** Whether a directory below others of the snapshot lies on a mount of its own: where a restore may cross mounts, deletion does not. */
function isEnteredMount(path: ByteString, { target, view }: PassContext): boolean {
  const parent = parentPath(path);
  if (!target.rootOf(path).crossMounts || parent === '' || view.find(parent) === undefined) return false;
  const directory = target.directory(path);
  statDescriptor(directory, stat);
  const mount = mountOf(directory, stat);
  const outer = target.directory(parent);
  statDescriptor(outer, above);
  return mount !== mountOf(outer, above);
}

/** Removes them, or with `foresee` only counts and names what would go. */
export function removeExtraneous(found: Iterable<Extraneous>, context: PassContext, foresee: boolean): void {
  const { target, upper, rules, outcome, signal } = context;
  const removal = new TreeRemoval(
    rules,
    (problem) => outcome.problems.add(problem),
    (path) => outcome.deletions.add(path),
    foresee,
  );
  let named: ByteString | undefined;
  for (const { path, unknown } of found) {
    if (signal.aborted) break;
    try {
      const place = target.place(path);
      if (mayBeStaging(place.directory, place.name)) continue;
      if (unknown !== undefined) {
        // Once for the directory, however much is in it.
        const directory = parentPath(path);
        const counts = statAt(place.directory, place.name, stat) && !rules.exclude.has(path, stat.isDirectory);
        if (counts && named !== directory) outcome.problems.add({ code: 'unseen_kept', message: unknown, path: directory });
        if (counts) named = directory;
      } else if (place.overlay && upper?.hasOwn(path) === true) removeOwn({ ...place, path }, { upper, removal, context });
      else removal.remove(place.directory, place.name, path);
    } catch (error) {
      outcome.problems.add(problemOf(path, error));
    }
  }
  outcome.deleted += removal.removed;
}

/** What stands at a path: its name in an open directory. */
interface Standing {
  readonly directory: number;
  readonly name: ByteString;
  readonly path: ByteString;
}

/** By what it is removed. */
interface OwnRemoval {
  readonly upper: UpperLayer;
  readonly removal: TreeRemoval;
  readonly context: PassContext;
}

/**
 * Removes from a mounted account what is its own; whether nothing shows there any more. To remove the copy of an entry of the layers
 * below would hide that entry, which the snapshot shows, so a copied file stays and is named, and a copied directory loses only
 * what the account put into it.
 */
function removeOwn(standing: Standing, work: OwnRemoval): boolean {
  const { directory, name, path } = standing;
  const { upper, removal } = work;
  const { rules, outcome } = work.context;
  if (!statAt(directory, name, stat)) return true;
  const { isDirectory } = stat;
  if (rules.exclude.has(path, isDirectory) || !isDirectory) {
    if (isDirectory || !upper.isCopiedUp(path)) return removal.remove(directory, name, path);
    const message = 'a changed copy of what the layers below have: it can only be removed while the account is not mounted';
    outcome.problems.add({ code: 'unsupported', message, path });
    return false;
  }
  if (!removeOwnIn(standing, work) || upper.isCopiedUp(path)) return false;
  removal.removeEmptied(directory, name, path);
  return true;
}

/** Whether nothing shows in the directory any more. It is held: whoever it belongs to, it was not met before and need not be. */
function removeOwnIn({ directory, name, path }: Standing, work: OwnRemoval): boolean {
  const descriptor = openDirectoryAt(directory, name);
  try {
    if (isElsewhere(descriptor, directory)) return work.removal.keepMount(path);
    const own = new Set(work.upper.ownNames(path));
    let isEmpty = true;
    for (const child of readNames(descriptor)) {
      if (!own.has(child) || !removeOwn({ directory: descriptor, name: child, path: childPath(path, child) }, work)) isEmpty = false;
    }
    return isEmpty;
  } finally {
    closeDescriptor(descriptor);
  }
}
