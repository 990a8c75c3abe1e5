import { Failure } from '../../failure.ts';
import type { ManifestRow } from '../entry.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';
import { MergedTree } from './merged-tree.ts';

/**
 * The rows of one manifest that can take the place of several; `layers` the oldest first. Without `base` it has all entries
 * of the point in time: a full. With `base`, which must be the oldest of `layers`, it has what lies above the base: entries
 * that do not come from it, and tombstones for what it has and the point in time has not: a differential. Directories in
 * which nothing changed are not read.
 */
export function* compactRows(
  layers: readonly ManifestReader[],
  options: { readonly base?: ManifestReader | undefined } = {},
): Generator<ManifestRow> {
  const { base } = options;
  if (base === undefined) {
    yield* allEntries(new MergedTree(layers));
    return;
  }
  if (layers[0] !== base) throw new Failure('internal', 'the base of a compaction is not its oldest layer');
  yield* difference(new MergedTree(layers), new MergedTree([base]));
}

function* allEntries(tree: MergedTree): Generator<ManifestRow> {
  for (;;) {
    if (tree.peek() === undefined) {
      if (tree.depth === 0) return;
      tree.ascend();
    } else {
      if (!tree.currentIsContext) yield tree.entry();
      if (tree.currentIsDirectory) tree.descend();
      else tree.skip();
    }
  }
}

/** Walks both trees side by side; `base` stays in the directories that it has. */
function* difference(tree: MergedTree, base: MergedTree): Generator<ManifestRow> {
  for (;;) {
    const name = tree.peek();
    const isBeside = base.depth === tree.depth;
    const baseName = isBeside ? base.peek() : undefined;
    if (baseName !== undefined && (name === undefined || baseName < name)) {
      yield { path: base.path, kind: 'tombstone' };
      base.skip();
    } else if (name === undefined) {
      if (tree.depth === 0) return;
      tree.ascend();
      if (isBeside) base.ascend();
    } else if (tree.isOnlyFrom(0)) {
      tree.skip();
      if (baseName === name) base.skip();
    } else {
      const isInBase = baseName === name;
      if (!tree.currentIsContext && tree.current.layer !== 0) yield tree.entry();
      if (!tree.currentIsDirectory) {
        tree.skip();
        if (isInBase) base.skip();
      } else {
        if (isInBase && base.currentIsDirectory) base.descend();
        else if (isInBase) base.skip();
        tree.descend();
      }
    }
  }
}
