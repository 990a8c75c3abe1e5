import type { ByteString, Entry } from '../manifest/entry.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import type { Change } from '../schemas/reading.ts';
import { changesBetween } from './changes.ts';
import { TreeScope } from './tree-scope.ts';

/** A point in time: its manifests, the oldest first, and for each the snapshot that it belongs to. */
export interface Side {
  readonly layers: readonly ManifestReader[];
  readonly snapshots: readonly string[];
}

/** A path that is not the same on both sides; `undefined` is where it is not there. */
export interface PathDifference {
  readonly path: ByteString;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
  readonly changes: readonly Change[];
}

/** What a step of the walk came to: a difference, or nothing, so that the caller can pause. */
export type Step = PathDifference | undefined;

/**
 * Walks two points in time side by side, in the order of paths, from what follows `behind`. What both take from the same
 * manifest alone is not read.
 */
export function* diffTrees(before: Side, after: Side, scope: ByteString, behind: ByteString | undefined): Generator<Step> {
  const pair = new TreePair(before, after, scope);
  if (behind !== undefined) pair.resumeBehind(behind);
  while (!pair.isOver) yield pair.step();
}

class TreePair {
  readonly #before: TreeScope;
  readonly #after: TreeScope;
  readonly #sides: readonly [Side, Side];

  constructor(before: Side, after: Side, scope: ByteString) {
    this.#before = new TreeScope(before.layers, scope);
    this.#after = new TreeScope(after.layers, scope);
    this.#sides = [before, after];
  }

  resumeBehind(path: ByteString): void {
    this.#before.resumeBehind(path, false);
    this.#after.resumeBehind(path, false);
  }

  get isOver(): boolean {
    const [before, after] = [this.#before, this.#after];
    return before.isAtTop && after.isAtTop && before.peek() === undefined && after.peek() === undefined;
  }

  step(): Step {
    const [before, after] = [this.#before, this.#after];
    const depth = Math.max(before.depth, after.depth);
    // The side that does not have this directory waits in one above it.
    const from = before.depth === depth ? before.peek() : undefined;
    const to = after.depth === depth ? after.peek() : undefined;
    if (from === undefined && to === undefined) {
      for (const side of [before, after]) if (side.depth === depth) side.tree.ascend();
      return undefined;
    }
    if (from !== undefined && from === to) return this.#compare();
    if (to === undefined || (from !== undefined && from < to)) return this.#onlyIn(before);
    return this.#onlyIn(after);
  }

  #onlyIn(side: TreeScope): Step {
    const entry = side.tree.currentIsContext ? undefined : side.tree.entry();
    goOn(side);
    if (entry === undefined) return undefined;
    const [before, after] = side === this.#before ? [entry, undefined] : [undefined, entry];
    return { path: entry.path, before, after, changes: [] };
  }

  #compare(): Step {
    const [a, b] = [this.#before.tree, this.#after.tree];
    if (this.#isSameLayer(0, 0) && a.isOnlyFrom(0) && b.isOnlyFrom(0)) {
      a.skip();
      b.skip();
      return undefined;
    }
    const difference = this.#difference();
    goOn(this.#before);
    goOn(this.#after);
    return difference;
  }

  #difference(): Step {
    const [a, b] = [this.#before.tree, this.#after.tree];
    const [from, to] = [a.current, b.current];
    const isSameRow = from.row === to.row && from.block.index === to.block.index && this.#isSameLayer(from.layer, to.layer);
    if (isSameRow || (a.currentIsContext && b.currentIsContext)) return undefined;
    const before = a.currentIsContext ? undefined : a.entry();
    const after = b.currentIsContext ? undefined : b.entry();
    const changes = before === undefined || after === undefined ? [] : changesBetween(before, after);
    if (before !== undefined && after !== undefined && changes.length === 0) return undefined;
    return { path: a.path, before, after, changes };
  }

  #isSameLayer(before: number, after: number): boolean {
    return this.#sides[0].snapshots[before] === this.#sides[1].snapshots[after];
  }
}

function goOn({ tree }: TreeScope): void {
  if (tree.currentIsDirectory) tree.descend();
  else tree.skip();
}
