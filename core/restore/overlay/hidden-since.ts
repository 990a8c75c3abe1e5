import { type ByteString, type Entry, EntryFlags } from '../../manifest/entry.ts';
import { childPath } from '../../manifest/paths.ts';
import type { PassContext } from '../directories/directory-passes.ts';
import type { SelectedEntry } from '../plan/snapshot-view.ts';
import { problemOf } from '../rules.ts';

import { isOpaque, OPAQUE } from './overlay-attributes.ts';
import type { UpperLayer } from './overlay-layers.ts';

/**
 * Names what came into a mounted account after the snapshot and hides what the layers below have: whiteouts that the snapshot does
 * not have, and directories that are opaque now and were not. The mount gives no way to undo them, so two commands are told
 * that do. Asked after a restore, or of a dry run (`foreseen`) before it, when a directory still to be made stands for itself.
 */
export function reportHidden(
  selected: Iterable<SelectedEntry>,
  isJudged: (directory: Entry) => boolean,
  context: PassContext,
  foreseen: boolean,
): void {
  const { target, upper, rules, outcome } = context;
  // What is there now is left alone then.
  if (upper === undefined || rules.overwrite === 'never') return;
  for (const { entry, isParent } of selected) {
    if (entry.kind !== 'directory' || isParent || !target.isOverlay(entry.path) || isOpaque(entry.xattrs)) continue;
    try {
      if (isJudged(entry)) reportIn(entry, upper, context, foreseen);
    } catch (error) {
      outcome.problems.add(problemOf(entry.path, error));
    }
  }
}

function reportIn({ path, flags }: Entry, upper: UpperLayer, { view, rules, outcome }: PassContext, foreseen: boolean): void {
  const report = (hidden: ByteString, what: string, command: string): void => {
    const how = upper.undo === undefined ? '' : `: ${command} ${quoted(hidden, upper.undo.shadow)} && ${upper.undo.reload}`;
    outcome.problems.add({ code: 'still_hidden', message: `${what}${how}`, path: hidden });
  };
  // The kernel makes a directory opaque that takes the place of a whiteout, and cannot be asked not to.
  const becomesOpaque = foreseen && upper.hasWhiteout(path);
  if ((becomesOpaque || upper.isOpaque(path)) && upper.mayShine(path)) {
    report(path, 'what the layers below have in this directory is hidden, and was not', `setfattr -x ${OPAQUE}`);
    return;
  }
  if ((flags & EntryFlags.notAllSeen) !== 0) return;
  const hiding = upper.whiteouts(path);
  // What deletion takes away from over a layer below leaves a whiteout.
  if (foreseen && rules.removeDirectories) hiding.push(...upper.ownNames(path).filter((name) => !upper.isCopiedUp(childPath(path, name))));
  for (const name of hiding.sort()) {
    const hidden = childPath(path, name);
    if (view.find(hidden) !== undefined || rules.exclude.has(hidden, false) || !upper.mayShine(hidden)) continue;
    report(hidden, 'this was deleted after the snapshot, which hides what the layers below have', 'rm');
  }
}

/** The path in the upper layer as a shell takes it. */
function quoted(path: ByteString, shadow: ByteString): ByteString {
  return `'${(shadow + path.slice('shadow'.length)).replaceAll("'", `'\\''`)}'`;
}
