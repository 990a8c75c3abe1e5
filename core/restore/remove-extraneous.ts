import type { ByteString, Entry } from '../manifest/entry.ts';
import type { PassContext } from './directory-passes.ts';
import { findExtraneous } from './extraneous.ts';
import { namesIn } from './overlay-layers.ts';
import { isLeftOut, removeTree } from './remove-tree.ts';
import { problemOf } from './rules.ts';
import type { SelectedEntry } from './snapshot-view.ts';

/**
 * The paths that have to go: with `deletion` what stands in restored directories and is not in the snapshot; through a mounted
 * overlay also what shines through a directory that the snapshot has opaque. Never what the backup leaves out.
 */
export function* extraneousPaths(selected: Iterable<SelectedEntry>, deletion: boolean, context: PassContext): Generator<ByteString> {
  const { target, upper, rules } = context;
  const listing = (directory: Entry): readonly ByteString[] | undefined => {
    const isOverlay = upper !== undefined && target.isOverlay(directory.path);
    if (isOverlay) return upper.namesToJudge(directory, namesIn(target, directory.path), deletion);
    return deletion ? namesIn(target, directory.path) : undefined;
  };
  for (const path of findExtraneous(selected, listing)) if (!isLeftOut(path, rules.leftOut)) yield path;
}

/** Removes them, and says of a mounted account what cannot be removed without hiding more. */
export function removeExtraneous(paths: Iterable<ByteString>, context: PassContext): void {
  const { target, upper, rules, outcome, signal } = context;
  for (const path of paths) {
    if (signal.aborted) return;
    try {
      const place = target.place(path);
      const wasOwn = place.overlay && upper?.hasOwn(path) === true;
      outcome.deleted += removeTree(place.directory, place.name, path, rules.leftOut);
      // The mark hides an entry of the layers below that the snapshot shows.
      if (wasOwn && upper?.hasWhiteout(path) === true) {
        const message = 'the layers below have this, too, and it stays hidden: restore again while the account is not mounted';
        outcome.problems.add({ code: 'attribute_refused', message, path });
      }
    } catch (error) {
      outcome.problems.add(problemOf(path, error));
    }
  }
}
