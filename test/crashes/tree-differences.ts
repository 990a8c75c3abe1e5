import type { Difference, Property } from '../fidelity/compare-trees.ts';
import type { Description } from '../fidelity/description.ts';
import type { Tree } from './tree.ts';

type Properties = ReadonlyMap<Property, string>;

/** A line of a tree, property by property. */
function propertiesOf(line: string): Properties {
  const [what = '', names = ''] = line.split(' one of ');
  const [kind = '', mode = '', owner = '', time = '', rest = ''] = what.split(/ (?=.)/, 5);
  const properties = new Map<Property, string>([
    ['kind', kind],
    ['mode', mode],
    ['owner', owner],
    ['modification time', time],
    ['hard links', names],
  ]);
  if (kind === 'file') properties.set('content', rest);
  if (kind === 'link') properties.set('link target', what.split(' ').slice(4).join(' '));
  return properties;
}

/** How a tree differs from what it should be, by property, as `test/faults/explained.ts` takes it. */
export function treeDifferences(expected: Tree, found: Tree): Difference[] {
  return [...new Set([...expected.keys(), ...found.keys()])].sort().flatMap((path) => {
    const [first, second] = [expected.get(path), found.get(path)];
    if (first === second) return [];
    if (first === undefined || second === undefined) return [{ path, property: 'presence', first, second } as const];
    const [wanted, there] = [propertiesOf(first), propertiesOf(second)];
    return [...new Set([...wanted.keys(), ...there.keys()])]
      .filter((property) => wanted.get(property) !== there.get(property))
      .map((property) => ({ path, property, first: wanted.get(property), second: there.get(property) }));
  });
}

/** As much of the entries of a tree as explanations need: kinds, and which names are one file's. */
export function describedTree(tree: Tree): Description[] {
  return [...tree].map(([path, line]) => {
    const [, names] = line.split(' one of ');
    const kind = line.startsWith('folder') ? 'directory' : line.startsWith('link') ? 'symlink' : 'file';
    const first = names === undefined ? {} : { firstName: names.replace(/^\d+ names, with /, '') };
    return { path, kind, mode: '', uid: 0, gid: 0, mtime: '', xattrs: {}, ...first };
  });
}
