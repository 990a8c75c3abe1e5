import type { ByteString, Entry } from '../entry.ts';
import { CONTEXT, DIRECTORY, holdsChildren, TOMBSTONE } from '../format/kinds.ts';
import { PathStack } from '../format/path-stack.ts';
import type { BlockView } from '../read/block-view.ts';
import { decodeRow } from '../read/entry-decoder.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';
import { LayerCursor } from './layer-cursor.ts';

/** The cursors that are inside a directory, and all that stood at its row. Layers by number, the newest first. */
interface TreeLevel {
  readonly inside: readonly number[];
  readonly stood: readonly number[];
}

/**
 * A point in time as one tree, read from several manifests at once: of each path the newest layer's row counts. A tombstone
 * hides a path and all below it in older layers, anything else that is no directory hides what older layers have below it.
 * The walk goes forward only: look at a child with `peek`, then either `descend` into it or `skip` it.
 */
export class MergedTree {
  /** The row that decides about the child at which the walk is. The same object all the time; valid while `peek` gives a name. */
  readonly current: { block: BlockView; row: number; layer: number };
  /** The child has no row of its own, only something below it: the path is there, its properties are not known. */
  currentIsContext = false;
  readonly #cursors: readonly LayerCursor[];
  readonly #directory = new PathStack();
  readonly #levels: TreeLevel[] = [];
  #level: TreeLevel;
  #name: ByteString | undefined;
  /** Layers that have the child, and those of them whose children of it count. */
  readonly #standing: number[] = [];
  readonly #open: number[] = [];

  /** `layers` are the manifests of a chain, the oldest first. */
  constructor(layers: readonly ManifestReader[]) {
    this.#cursors = layers.map((layer) => new LayerCursor(layer));
    const all = layers.map((_, index) => layers.length - 1 - index);
    this.#level = { inside: all, stood: all };
    this.current = { block: undefined as never, row: 0, layer: 0 };
    this.#settle();
  }

  /** The name of the next child of the directory that the walk is in; undefined behind the last. */
  peek(): ByteString | undefined {
    return this.#name;
  }

  /** The path of the directory that the walk is in; empty at the top. */
  get directory(): ByteString {
    return this.#directory.path;
  }

  /** How many directories the walk is in. */
  get depth(): number {
    return this.#directory.depth;
  }

  /** The full path of the peeked child. */
  get path(): ByteString {
    return this.#directory.join(this.#peeked());
  }

  /** Whether the peeked child is a directory, be it one without a row of its own. */
  get currentIsDirectory(): boolean {
    return this.currentIsContext || this.current.block.kind[this.current.row] === DIRECTORY;
  }

  /** Whether the peeked child and all that is below it come from this layer alone. */
  isOnlyFrom(layer: number): boolean {
    return this.#standing.length === 1 && this.#standing[0] === layer;
  }

  /** The peeked child with all its properties; not for one that has no row of its own. */
  entry(): Entry {
    const { block, row, layer } = this.current;
    const packs = (this.#cursors[layer] as LayerCursor).reader.packs;
    const decoded = this.currentIsContext ? undefined : decodeRow(block, row, this.path, packs);
    if (decoded === undefined || decoded.kind === 'tombstone') throw new RangeError('the peeked child is no entry');
    return decoded;
  }

  /** Goes into the peeked child; what is no directory has no children. */
  descend(): void {
    const name = this.#peeked();
    this.#levels.push(this.#level);
    this.#level = { inside: this.#open.slice(), stood: this.#standing.slice() };
    for (const layer of this.#open) (this.#cursors[layer] as LayerCursor).next();
    this.#directory.enter(name);
    this.#settle();
  }

  /** Leaves the directory, wherever in it the walk is, and goes on to what follows it. */
  ascend(): void {
    const left = this.#level;
    const above = this.#levels.pop();
    if (above === undefined) throw new RangeError('the walk is at the top');
    const path = this.#directory.path;
    const depth = this.#directory.depth - 1;
    for (const layer of left.stood) {
      const cursor = this.#cursors[layer] as LayerCursor;
      if (left.inside.includes(layer)) cursor.skipRest(path, depth);
      else cursor.skipSubtree(path);
    }
    this.#level = above;
    this.#directory.leaveTo(depth);
    this.#settle();
  }

  /** Goes on to the next child without entering this one. */
  skip(): void {
    this.#pass(this.#peeked());
    this.#settle();
  }

  /** Goes on to the first child whose name is not before `name`, without reading those between. */
  seek(name: ByteString): void {
    if (this.#name === undefined || this.#name >= name) return;
    const path = this.#directory.join(name);
    const depth = this.#directory.depth;
    for (const layer of this.#level.inside) {
      const cursor = this.#cursors[layer] as LayerCursor;
      if (cursor.depth === depth && cursor.name < name) cursor.seek(path);
    }
    this.#settle();
  }

  #peeked(): ByteString {
    if (this.#name === undefined) throw new RangeError('there is no child left');
    return this.#name;
  }

  #pass(name: ByteString): void {
    const standing = this.#standing;
    for (let index = 0; index < standing.length; index++) {
      const cursor = this.#cursors[standing[index] as number] as LayerCursor;
      // Most entries have nothing below them, and no path has to be made to pass them.
      if (!cursor.skipLeaf()) cursor.skipSubtree(this.#directory.join(name));
    }
  }

  /** Finds the smallest name among the layers inside, until one is not hidden. */
  #settle(): void {
    for (;;) {
      const name = this.#smallest();
      this.#name = name;
      if (name === undefined || this.#judge()) return;
      this.#pass(name);
    }
  }

  /** The smallest name at this level, and with it the layers that have it. */
  #smallest(): ByteString | undefined {
    const depth = this.#directory.depth;
    let smallest: ByteString | undefined;
    const standing = this.#standing;
    const inside = this.#level.inside;
    for (let index = 0; index < inside.length; index++) {
      const layer = inside[index] as number;
      const cursor = this.#cursors[layer] as LayerCursor;
      if (cursor.depth !== depth) continue;
      const name = cursor.name;
      if (smallest === undefined || name < smallest) {
        smallest = name;
        standing.length = 0;
        standing.push(layer);
      } else if (name === smallest) {
        standing.push(layer);
      }
    }
    return smallest;
  }

  /** Decides which row counts and which layers stay open below the child; false when the child is gone. */
  #judge(): boolean {
    let winner = -1;
    const open = this.#open;
    open.length = 0;
    const standing = this.#standing;
    for (let index = 0; index < standing.length; index++) {
      const layer = standing[index] as number;
      const kind = (this.#cursors[layer] as LayerCursor).kind;
      if (kind !== CONTEXT && winner < 0) {
        // A context row in a newer layer says that the path is a directory: what else an older layer has there is hidden.
        if (holdsChildren(kind) || (open.length === 0 && kind !== TOMBSTONE)) winner = layer;
      }
      if (!holdsChildren(kind)) break;
      open.push(layer);
    }
    if (winner < 0 && open.length === 0) return false;
    const decisive = winner >= 0 ? winner : (open[0] as number);
    const cursor = this.#cursors[decisive] as LayerCursor;
    this.currentIsContext = winner < 0;
    this.current.block = cursor.block;
    this.current.row = cursor.row;
    this.current.layer = decisive;
    return true;
  }
}
