import { type Description, describeTree } from './description.ts';

const IS_ACL = (name: string): boolean => name.startsWith('system.posix_acl_');

function attributes(entry: Description, wanted: (name: string) => boolean): string {
  const names = Object.keys(entry.xattrs).filter(wanted);
  return names.map((name) => `${name}=${entry.xattrs[name]}`).join(' ');
}

/** How each property is read from an entry; undefined where a kind of entry does not have it. */
const READERS = {
  kind: (entry) => entry.kind,
  content: (entry) => entry.content,
  size: (entry) => entry.size,
  'data ranges': (entry) => (entry.kind === 'file' ? (entry.data ?? 'whole') : undefined),
  mode: (entry) => entry.mode,
  owner: (entry) => entry.uid,
  group: (entry) => entry.gid,
  'modification time': (entry) => entry.mtime,
  ACLs: (entry) => attributes(entry, IS_ACL),
  'other attributes': (entry) => attributes(entry, (name) => !IS_ACL(name)),
  'inode flags': (entry) => entry.flags,
  'hard links': (entry) => (entry.kind === 'directory' ? undefined : (entry.firstName ?? entry.path)),
  'link count': (entry) => (entry.kind === 'directory' ? undefined : (entry.linkCount ?? 1)),
  'link target': (entry) => entry.target,
  'device number': (entry) => entry.device,
} as const satisfies Record<string, (entry: Description) => string | number | undefined>;

type ReadProperty = keyof typeof READERS;
/** `presence`: whether the entry is there at all. */
export type Property = 'presence' | ReadProperty;
export const PROPERTIES: readonly Property[] = ['presence', ...(Object.keys(READERS) as ReadProperty[])];

export interface Difference {
  /** Below the roots; bytes, one a character. */
  readonly path: string;
  readonly property: Property;
  /** In the first and in the second tree; undefined where it has no such entry or property. */
  readonly first: string | undefined;
  readonly second: string | undefined;
}

export interface CompareOptions {
  readonly ignoreProperties?: readonly Property[];
  /** Names of extended attributes that may differ. */
  readonly ignoreXattrs?: readonly string[];
  /** Paths left out of the comparison in both trees, with everything below. */
  readonly exclude?: readonly string[];
  /** A whiteout that the kernel made again has a new time and shares its inode with others: look at its name and kind alone. */
  readonly whiteoutsByName?: boolean;
}

export interface Comparison {
  /** Entries of the first tree. */
  readonly entries: number;
  /** Of each property how many entries were compared, and how many of those differ. */
  readonly compared: ReadonlyMap<Property, number>;
  readonly different: ReadonlyMap<Property, number>;
  /** The first differences, at most `DIFFERENCE_LIMIT`. */
  readonly differences: readonly Difference[];
}

export const DIFFERENCE_LIMIT = 1000;

/** Components compared one by one, as both trees are walked: `/` sorts below every byte. */
function pathKey(path: string): string {
  return path.replaceAll('/', '\0');
}

function isWhiteout(entry: Description): boolean {
  return entry.kind === 'character-device' && entry.device === '0:0';
}

class Comparer {
  readonly compared = new Map<Property, number>();
  readonly different = new Map<Property, number>();
  readonly differences: Difference[] = [];
  entries = 0;
  readonly #options: CompareOptions;
  readonly #ignored: ReadonlySet<Property>;

  constructor(options: CompareOptions) {
    this.#options = options;
    this.#ignored = new Set(options.ignoreProperties);
  }

  isExcluded(path: string): boolean {
    return (this.#options.exclude ?? []).some((excluded) => path === excluded || path.startsWith(`${excluded}/`));
  }

  compare(first: Description | undefined, second: Description | undefined): void {
    const path = (first ?? second)!.path;
    if (first !== undefined) this.entries++;
    this.#judge(path, 'presence', first && 'there', second && 'there');
    if (first === undefined || second === undefined) return;
    const [before, after] = [this.#withoutIgnored(first), this.#withoutIgnored(second)];
    const nameAlone = this.#options.whiteoutsByName === true && isWhiteout(first) && isWhiteout(second);
    const properties = nameAlone ? (['kind'] as const) : (Object.keys(READERS) as ReadProperty[]);
    for (const property of properties) {
      const read = READERS[property];
      this.#judge(path, property, read(before)?.toString(), read(after)?.toString());
    }
  }

  #judge(path: string, property: Property, first: string | undefined, second: string | undefined): void {
    if (this.#ignored.has(property) || (first === undefined && second === undefined)) return;
    this.compared.set(property, (this.compared.get(property) ?? 0) + 1);
    if (first === second) return;
    this.different.set(property, (this.different.get(property) ?? 0) + 1);
    if (this.differences.length < DIFFERENCE_LIMIT) this.differences.push({ path, property, first, second });
  }

  #withoutIgnored(entry: Description): Description {
    const ignored = this.#options.ignoreXattrs ?? [];
    if (!ignored.some((name) => name in entry.xattrs)) return entry;
    const xattrs = Object.fromEntries(Object.entries(entry.xattrs).filter(([name]) => !ignored.includes(name)));
    return { ...entry, xattrs };
  }
}

/** Compares two streams of descriptions, each in path order, in every property. */
export async function compareDescriptions(
  firstTree: AsyncGenerator<Description>,
  secondTree: AsyncGenerator<Description>,
  options: CompareOptions = {},
): Promise<Comparison> {
  const comparer = new Comparer(options);
  const next = async (tree: AsyncGenerator<Description>): Promise<Description | undefined> => {
    for (;;) {
      const { value, done } = await tree.next();
      if (done === true) return undefined;
      if (!comparer.isExcluded(value.path)) return value;
    }
  };
  let [first, second] = await Promise.all([next(firstTree), next(secondTree)]);
  while (first !== undefined || second !== undefined) {
    const firstKey = first && pathKey(first.path);
    const secondKey = second && pathKey(second.path);
    const takeFirst = firstKey !== undefined && (secondKey === undefined || firstKey <= secondKey);
    const takeSecond = secondKey !== undefined && (firstKey === undefined || secondKey <= firstKey);
    comparer.compare(takeFirst ? first : undefined, takeSecond ? second : undefined);
    if (takeFirst) first = await next(firstTree);
    if (takeSecond) second = await next(secondTree);
  }
  return comparer;
}

/** Compares the trees at two places in every property, their roots included. */
export function compareTreesFully(first: string, second: string, options?: CompareOptions): Promise<Comparison> {
  return compareDescriptions(describeTree(first), describeTree(second), options);
}

/** The differences between the trees at two places; none when the second is a perfect copy. */
export async function compareTrees(first: string, second: string, options?: CompareOptions): Promise<readonly Difference[]> {
  return (await compareTreesFully(first, second, options)).differences;
}

/** Marks by which the kernel finds inodes again; another inode cannot have them. */
const OVERLAY_BOOKKEEPING = ['origin', 'impure', 'nlink', 'upper', 'uuid'].map((name) => `trusted.overlay.${name}`);

/**
 * For an upper layer that was restored through its mounted overlay: a deletion is what restores a whiteout there, and the kernel
 * makes it with a time and an inode of its own.
 */
export const UPPER_LAYER: CompareOptions = {
  ignoreXattrs: OVERLAY_BOOKKEEPING,
  whiteoutsByName: true,
  ignoreProperties: ['link count'],
};
