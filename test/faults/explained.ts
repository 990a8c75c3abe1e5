import type { Difference } from '../fidelity/compare-trees.ts';
import type { Description } from '../fidelity/description.ts';

/** What a result or a record says about a path. */
export interface Named {
  readonly code: string;
  readonly path?: string | null;
}

/** What a refused attribute cannot be the reason of. */
const MORE_THAN_ATTRIBUTES = new Set<Difference['property']>(['presence', 'kind', 'content', 'size', 'link target', 'device number']);
/** What the other names of a file have in common with one that is missing or is another file now. */
const OF_ALL_NAMES = new Set<Difference['property']>(['hard links', 'link count']);

/**
 * Which differences named problems explain, and no more: anything at the path itself (of a refused attribute, attributes alone); by the
 * other names of a file that is not right, what all names of one file share, but never that such a name is missing, too; below a
 * directory, that something is missing or is what it was before; above something that could not be removed, that its folders stay.
 */
export class Explained {
  readonly #named: readonly Named[];
  readonly #names = new Map<string, readonly string[]>();
  readonly #directories = new Set<string>();

  constructor(named: readonly Named[], expected: readonly Description[]) {
    this.#named = named;
    const groups = new Map<string, string[]>();
    for (const { path, firstName, kind } of expected) {
      if (kind === 'directory') this.#directories.add(path);
      if (firstName !== undefined) groups.set(firstName, [...(groups.get(firstName) ?? []), path]);
    }
    for (const paths of groups.values()) for (const path of paths) this.#names.set(path, paths);
  }

  /** `wasSo`: whether what stands there now is in that property what stood there before. */
  has({ path, property, first }: Difference, wasSo: boolean): boolean {
    return this.#named.some(({ code, path: name }) => {
      if (typeof name !== 'string') return false;
      const isOfAttributes = code === 'attribute_refused';
      if (path === name) return !isOfAttributes || !MORE_THAN_ATTRIBUTES.has(property);
      if (isOfAttributes) return this.#isOtherName(path, name) && !MORE_THAN_ATTRIBUTES.has(property);
      if (this.#isOtherName(path, name)) return property !== 'presence' || OF_ALL_NAMES.has(property);
      if (property === 'presence' && first === undefined && name.startsWith(`${path}/`)) return true;
      const isBelow = path.startsWith(`${name}/`) && (this.#directories.has(name) || first === undefined);
      return isBelow && (wasSo || (property === 'presence' && first !== undefined));
    });
  }

  #isOtherName(path: string, name: string): boolean {
    return this.#names.get(name)?.includes(path) === true;
  }
}
