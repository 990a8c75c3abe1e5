import type { ByteString } from '../entry.ts';
import { byte } from '../format/columns.ts';
import { DIRECTORY, holdsChildren } from '../format/kinds.ts';
import { PathStack } from '../format/path-stack.ts';
import { lowerBound } from '../lower-bound.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { parentPath } from '../paths.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';
import { LayerCursor } from './layer-cursor.ts';
import { type PathState, pathStateOfRow } from './path-states.ts';

/** A cursor that knows the path at which it stands, and what above it hides what older manifests have. */
class RowWalk {
  readonly layer: number;
  readonly reader: ManifestReader;
  path: ByteString | undefined;
  name: ByteString = '';
  readonly #cursor: LayerCursor;
  #directory = new PathStack();
  #block = -1;
  /** The last path of which this manifest says that nothing is below it. */
  #closed: ByteString | undefined;

  constructor(reader: ManifestReader, layer: number, from: ByteString) {
    this.layer = layer;
    this.reader = reader;
    this.#cursor = new LayerCursor(reader);
    if (from !== '' && this.#cursor.depth >= 0) {
      const before = reader.floor(from);
      if (before !== undefined && !holdsChildren(byte(before.block.kind, before.row))) {
        this.#closed = before.block.path(before.row);
      }
      this.#cursor.seek(from);
    }
    this.#arrive();
  }

  get isDirectory(): boolean {
    return this.#cursor.kind === DIRECTORY;
  }

  next(): void {
    if (holdsChildren(this.#cursor.kind)) this.#directory.enter(this.name);
    else this.#closed = this.path;
    this.#cursor.next();
    this.#arrive();
  }

  #arrive(): void {
    const cursor = this.#cursor;
    if (cursor.depth < 0) {
      this.path = undefined;
      return;
    }
    if (cursor.block.index !== this.#block) {
      this.#block = cursor.block.index;
      const path = cursor.block.path(cursor.row);
      this.#directory = new PathStack(parentPath(path));
    }
    this.#directory.leaveTo(cursor.depth);
    this.name = cursor.name;
    this.path = this.#directory.join(this.name);
  }

  /** What this manifest says about a path at which, or behind which, it stands and which no earlier call was behind. */
  pathStateOf(path: ByteString): PathState {
    if (this.path === path) return pathStateOfRow(this.#cursor.block, this.#cursor.row, path, this.reader.packs);
    return this.#closed !== undefined && isWithin(path, this.#closed) ? 'gone' : 'nothing';
  }
}

/**
 * Every path of which any of several manifests has a row, in order: what all of them say about it can be asked while the walk
 * is there. Reads each manifest once, from the first path that is not before `from`.
 */
export class UnionWalk {
  /** By the place of the manifest in `layers`. */
  readonly #walks: readonly RowWalk[];
  /** Those that are not at their end, the one with the smallest path last. */
  readonly #waiting: RowWalk[] = [];
  #standing: RowWalk[] = [];
  #path: ByteString | undefined;

  constructor(layers: readonly ManifestReader[], from: ByteString = '') {
    this.#walks = layers.map((reader, layer) => new RowWalk(reader, layer, from));
    for (const walk of this.#walks) this.#wait(walk);
  }

  /** Goes on to the next path; undefined behind the last one. */
  next(): ByteString | undefined {
    for (const walk of this.#standing) {
      walk.next();
      this.#wait(walk);
    }
    this.#standing = [];
    this.#path = this.#waiting.at(-1)?.path;
    while (this.#path !== undefined && this.#waiting.at(-1)?.path === this.#path) {
      this.#standing.push(this.#waiting.pop() as RowWalk);
    }
    return this.#path;
  }

  /** The last component of the path at which the walk is. */
  get name(): ByteString {
    return (this.#standing[0] as RowWalk).name;
  }

  /** Whether any manifest has a directory at this path. */
  get isDirectory(): boolean {
    return this.#standing.some((walk) => walk.isDirectory);
  }

  /** What the manifest number `layer` says about this path. */
  pathState(layer: number): PathState {
    return (this.#walks[layer] as RowWalk).pathStateOf(this.#path as ByteString);
  }

  #wait(walk: RowWalk): void {
    const { path } = walk;
    if (path === undefined) return;
    const at = lowerBound(this.#waiting.length, (index) => comparePaths((this.#waiting[index] as RowWalk).path as ByteString, path) > 0);
    this.#waiting.splice(at, 0, walk);
  }
}
