import type { ByteString, Entry } from '../manifest/entry.ts';
import { MergedTree } from '../manifest/merge/merged-tree.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';

/** A walk through a point in time that sees one path and what lies below it, or everything when the path is empty. */
export class TreeScope {
  readonly tree: MergedTree;
  /** How deep the directory is in which the path stands. */
  readonly #base: number;
  readonly #only: ByteString | undefined;
  #isAbsent = false;

  constructor(layers: readonly ManifestReader[], path: ByteString) {
    this.tree = new MergedTree(layers);
    const names = path === '' ? [] : path.split('/');
    this.#only = names.pop();
    this.#base = names.length;
    for (const name of names) if (!this.#isAbsent) this.#isAbsent = !this.#enter(name);
    if (this.#only !== undefined && !this.#isAbsent) this.tree.seek(this.#only);
  }

  /** How many directories the walk is in; at the depth of the path there is nothing but the path. */
  get depth(): number {
    return this.#isAbsent ? this.#base : this.tree.depth;
  }

  /** Whether the scope is everything. */
  get isWhole(): boolean {
    return this.#only === undefined;
  }

  get isAtTop(): boolean {
    return this.depth === this.#base;
  }

  /** The name of the next child, as far as it can be seen. */
  peek(): ByteString | undefined {
    if (this.#isAbsent) return undefined;
    const name = this.tree.peek();
    return this.isAtTop && this.#only !== undefined && name !== this.#only ? undefined : name;
  }

  /** Goes to what follows `path`, which lies in the scope: to what is below it unless that is passed over. */
  resumeBehind(path: ByteString, passOver: boolean): void {
    if (this.#isAbsent) return;
    const names = path.split('/').slice(this.tree.depth);
    for (const [index, name] of names.entries()) {
      this.tree.seek(name);
      if (this.tree.peek() !== name) return;
      const isLast = index === names.length - 1;
      if (!this.tree.currentIsDirectory || (isLast && passOver)) {
        this.tree.skip();
        return;
      }
      this.tree.descend();
    }
  }

  #enter(name: ByteString): boolean {
    this.tree.seek(name);
    if (this.tree.peek() !== name || !this.tree.currentIsDirectory) return false;
    this.tree.descend();
    return true;
  }
}

/** Whether a point in time has a path, be it only as a folder of something that is backed up. */
export function hasPath(layers: readonly ManifestReader[], path: ByteString): boolean {
  return new TreeScope(layers, path).peek() !== undefined;
}

/** The entry of a point in time at a path; undefined when there is none, or only something below it. */
export function entryAt(layers: readonly ManifestReader[], path: ByteString): Entry | undefined {
  const scope = new TreeScope(layers, path);
  return scope.peek() === undefined || scope.tree.currentIsContext ? undefined : scope.tree.entry();
}
