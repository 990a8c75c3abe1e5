import { StatBuffer, statAt } from '../linux/stat.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import type { PassContext } from './directory-passes.ts';
import { findExtraneous } from './extraneous.ts';
import { childPath } from './names.ts';
import { namesIn, type UpperLayer } from './overlay-layers.ts';
import { removeTree } from './remove-tree.ts';
import { problemOf } from './rules.ts';
import type { SelectedEntry } from './snapshot-view.ts';
import { mayBeStaging } from './staging.ts';

const stat = new StatBuffer();

/**
 * The paths that have to go: with `deletion` what stands in restored directories and is not in the snapshot; through a mounted
 * overlay also what shines through a directory that the snapshot has opaque. Never what the backup leaves out, and
 * nothing in directories that are not `isJudged`.
 */
export function* extraneousPaths(
  selected: Iterable<SelectedEntry>,
  isJudged: (directory: Entry) => boolean,
  deletion: boolean,
  context: PassContext,
): Generator<ByteString> {
  const { target, upper, rules } = context;
  if (!deletion && upper === undefined) return;
  const listing = (directory: Entry): readonly ByteString[] | undefined => {
    if (!isJudged(directory)) return undefined;
    const isOverlay = upper !== undefined && target.isOverlay(directory.path);
    if (isOverlay) return upper.namesToJudge(directory, namesIn(target, directory.path), deletion);
    return deletion ? namesIn(target, directory.path) : undefined;
  };
  for (const path of findExtraneous(selected, listing)) {
    const place = target.place(path);
    if (!statAt(place.directory, place.name, stat) || rules.leftOut.has(path, stat.isDirectory)) continue;
    if (!mayBeStaging(place.directory, place.name)) yield path;
  }
}

/** Removes them. */
export function removeExtraneous(paths: Iterable<ByteString>, context: PassContext): void {
  const { target, upper, rules, outcome, signal } = context;
  for (const path of paths) {
    if (signal.aborted) return;
    try {
      const place = target.place(path);
      if (place.overlay && upper?.hasOwn(path) === true) removeOwn(path, upper, context);
      else outcome.deleted += removeTree(place.directory, place.name, path, rules).removed;
    } catch (error) {
      outcome.problems.add(problemOf(path, error));
    }
  }
}

/**
 * Removes from a mounted account what is its own. To remove the copy of an entry of the layers below would hide that entry, which
 * the snapshot shows, so a copied file stays and is named, and a copied directory loses only what the account put into it.
 */
function removeOwn(path: ByteString, upper: UpperLayer, context: PassContext): void {
  const { target, rules, outcome } = context;
  const { directory, name } = target.place(path);
  if (!statAt(directory, name, stat)) return;
  const { isDirectory } = stat;
  if (rules.leftOut.has(path, isDirectory)) return;
  if (isDirectory) for (const child of upper.ownNames(path)) removeOwn(childPath(path, child), upper, context);
  if (!upper.isCopiedUp(path)) {
    const place = target.place(path);
    if (isDirectory && namesIn(target, path).length > 0) return;
    outcome.deleted += removeTree(place.directory, place.name, path, rules).removed;
  } else if (!isDirectory) {
    const message = 'a changed copy of what the layers below have: it can only be removed while the account is not mounted';
    outcome.problems.add({ code: 'unsupported', message, path });
  }
}
