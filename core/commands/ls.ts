import { decodeCursor, encodeCursor } from '../browse/cursor.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { openUnit } from '../browse/open-unit.ts';
import { Page } from '../browse/page.ts';
import { entryAt, TreeScope } from '../browse/tree-scope.ts';
import { VisiblePaths } from '../browse/visible-paths.ts';
import { requestedPath, wireEntry } from '../browse/wire-entry.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { MergedTree } from '../manifest/merge/merged-tree.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { OwnerSight } from '../restore/owner/owner-sight.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { ListedEntry, LsRequest, LsResult } from '../schemas/ls.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import { doubtsOf } from '../timeline/point-in-time.ts';

/** Lists a folder of a unit as it was at a point in time, in the order of paths. Throws `path_unknown`. */
export async function ls(request: LsRequest, context: Context): Promise<LsResult> {
  const [snapshot, behind] = request.after === undefined ? [] : decodeCursor(request.after, 2);
  const { repository, timeline, sight, head } = await openUnit({ ...request, at: snapshot ?? request.at }, context);
  const point = await timeline.resolve(snapshot ?? request.at, context.now());
  const { moment, chain } = point;
  const found = { ...doubtsResult(doubtsOf(point)), ...head, moment };
  const layers = await OpenLayers.open(chain, repository);
  try {
    const page = new Page<ListedEntry>(request.limit);
    const yielder = new Yielder(context);
    let last = '';
    const cursor = (): string => encodeCursor([moment.snapshot, last]);
    const shows = visibleIn(layers, sight);
    const scope = openFolder(layers, requestedPath(request.folder), moment.snapshot, shows);
    for (const tree of listed(scope, request.recursive === true, behind, shows)) {
      if (page.isFull) return { ...found, entries: page.rows, next: cursor() };
      last = tree.path;
      page.add(listedEntry(tree, last));
      if (yielder.isDue()) await yielder.take();
    }
    return { ...found, entries: page.rows, next: null };
  } finally {
    layers.close();
  }
}

/** Tells of where a walk stands whether it is shown. */
type Shows = (tree: MergedTree) => boolean;

function visibleIn(layers: OpenLayers, sight: OwnerSight | undefined): Shows {
  if (sight === undefined) return () => true;
  const paths = new VisiblePaths(sight, (path) => entryAt(layers.readers, path));
  return (tree) => !tree.currentIsContext && paths.shows(tree.path, tree.entry());
}

function openFolder(layers: OpenLayers, folder: ByteString, snapshot: string, shows: Shows): TreeScope {
  const scopeAt = (path: ByteString): TreeScope | undefined => {
    const scope = new TreeScope(layers.readers, path);
    return scope.peek() !== undefined && shows(scope.tree) ? scope : undefined;
  };
  if (folder === '') return new TreeScope(layers.readers, folder);
  const scope = scopeAt(folder);
  if (scope !== undefined) return scope;
  throw unknownPath(`the snapshot ${snapshot} does not have`, [folder], (path) => scopeAt(path) !== undefined);
}

/** Stops at each child of the scope's folder, or at the path itself when that is no folder. */
function* listed(scope: TreeScope, recursive: boolean, behind: ByteString | undefined, shows: Shows): Generator<MergedTree> {
  const { tree } = scope;
  if (!scope.isWhole && tree.currentIsDirectory) tree.descend();
  const depth = tree.depth;
  if (behind !== undefined) scope.resumeBehind(behind, !recursive);
  for (;;) {
    if (scope.peek() === undefined) {
      if (tree.depth === depth) return;
      tree.ascend();
    } else if (!shows(tree)) {
      tree.skip();
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
