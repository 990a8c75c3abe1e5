import type { ObjectInfo } from '../backends/backend.ts';

/** Behind every name that begins as another one does: names have no greater character (backends/object-name.ts). */
const BEHIND = '\x7f';

/** A stretch of the order of names of which every object is known. */
interface Stretch {
  /** What the names begin with. */
  readonly root: string;
  /** The last name that is known; undefined: all with that beginning are. */
  readonly until: string | undefined;
}

/** What was listed of a place: pure knowledge, which somebody else keeps up to date. */
export class Survey {
  readonly #objects = new Map<string, ObjectInfo>();
  readonly #stretches = new Map<string, Stretch>();
  #names: string[] | undefined = [];

  /** Takes what a listing of names that begin with `root` gave: all of it, or as far as `until`. */
  learn(root: string, objects: readonly ObjectInfo[], until: string | undefined): void {
    for (const object of objects) this.#objects.set(object.name, object);
    this.#names = undefined;
    this.#stretches.set(root, { root, until });
  }

  /** Whether a listing of this beginning was taken, in part or whole. */
  hasListed(root: string, isWhole: boolean): boolean {
    const stretch = this.#stretches.get(root);
    return stretch !== undefined && (!isWhole || stretch.until === undefined);
  }

  /** Whether all objects are known whose names begin so. */
  covers(prefix: string): boolean {
    return this.#isKnown(prefix, `${prefix}${BEHIND}`);
  }

  coversName(name: string): boolean {
    return this.#isKnown(name, name);
  }

  #isKnown(first: string, last: string): boolean {
    for (const { root, until } of this.#stretches.values()) {
      if (first.startsWith(root) && (until === undefined || last <= until)) return true;
    }
    return false;
  }

  get(name: string): ObjectInfo | undefined {
    return this.#objects.get(name);
  }

  /** The known objects whose names begin so, in the order of their names. */
  *list(prefix: string): Generator<ObjectInfo> {
    this.#names ??= [...this.#objects.keys()].sort();
    const names = this.#names;
    for (let at = lowerBound(names, prefix); at < names.length; at++) {
      const name = names[at] as string;
      if (!name.startsWith(prefix)) return;
      const object = this.#objects.get(name);
      if (object !== undefined) yield object;
    }
  }

  /** The names of the folders directly below one, which ends with `/`. */
  folders(folder: string): string[] {
    this.#names ??= [...this.#objects.keys()].sort();
    const names = this.#names;
    const found: string[] = [];
    for (let at = lowerBound(names, folder); at < names.length; ) {
      const name = names[at] as string;
      if (!name.startsWith(folder)) break;
      const end = name.indexOf('/', folder.length);
      if (end < 0) {
        at++;
        continue;
      }
      const inside = name.slice(0, end + 1);
      at = lowerBound(names, `${inside}${BEHIND}`);
      if (!this.list(inside).next().done) found.push(name.slice(folder.length, end));
    }
    return found;
  }

  /** An object that was stored since. */
  add(object: ObjectInfo): void {
    if (!this.#objects.has(object.name)) this.#names = undefined;
    this.#objects.set(object.name, object);
  }

  remove(name: string): void {
    this.#objects.delete(name);
  }
}

/** The number of names that come before this one. */
function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
