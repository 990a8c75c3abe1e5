import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { MergedTree } from '../manifest/merged-tree.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { Context } from './context.ts';
import { Breath } from './reading/breath.ts';
import { decodeCursor, encodeCursor } from './reading/cursor.ts';
import { OpenRuns } from './reading/open-runs.ts';
import { openUnit } from './reading/open-unit.ts';
import { Page } from './reading/page.ts';
import { TreeScope } from './reading/tree-scope.ts';
import { requestedPath, wireEntry } from './reading/wire-entry.ts';
import type { ListedEntry, LsRequest, LsResult } from './schemas/ls.ts';

/** Lists a folder of a unit as it was at a point in time, in the order of paths. Throws `path_unknown`. */
export async function ls(request: LsRequest, context: Context): Promise<LsResult> {
  const [snapshot, behind] = request.after === undefined ? [] : decodeCursor(request.after, 2);
  const { repository, timeline, head } = await openUnit(request, context);
  const { moment, chain } = await timeline.resolve(snapshot ?? request.at, context.now());
  const runs = await OpenRuns.open(chain, repository);
  try {
    const page = new Page<ListedEntry>(request.limit);
    const breath = new Breath(context);
    let last = '';
    const cursor = (): string => encodeCursor([moment.snapshot, last]);
    const scope = openFolder(runs, requestedPath(request.folder), moment.snapshot);
    for (const tree of listed(scope, request.recursive === true, behind)) {
      if (page.isFull) return { ...head, moment, entries: page.rows, next: cursor() };
      last = tree.path;
      page.add(listedEntry(tree, last));
      if (breath.isDue()) await breath.take();
    }
    return { ...head, moment, entries: page.rows, next: null };
  } finally {
    runs.close();
  }
}

function openFolder(runs: OpenRuns, folder: ByteString, snapshot: string): TreeScope {
  const scope = new TreeScope(runs.readers, folder);
  if (folder === '' || scope.peek() !== undefined) return scope;
  throw new Failure('path_unknown', `the snapshot ${snapshot} does not have this path`, {
    affected: [toWirePath(folder).path],
    advice: 'List the folder above it, or look for it in all snapshots with `find`.',
  });
}

/** Stops at each child of the scope's folder, or at the path itself when that is no folder. */
function* listed(scope: TreeScope, recursive: boolean, behind: ByteString | undefined): Generator<MergedTree> {
  const { tree } = scope;
  if (!scope.isWhole && tree.currentIsDirectory) tree.descend();
  const depth = tree.depth;
  if (behind !== undefined) scope.resumeBehind(behind, !recursive);
  for (;;) {
    if (scope.peek() === undefined) {
      if (tree.depth === depth) return;
      tree.ascend();
    } else {
      yield tree;
      if (recursive && tree.currentIsDirectory) tree.descend();
      else tree.skip();
    }
  }
}

function listedEntry(tree: MergedTree, path: ByteString): ListedEntry {
  if (tree.currentIsContext) return { ...toWirePath(path), kind: 'directory' };
  return { ...toWirePath(path), ...wireEntry(tree.entry()) };
}
