import type { ByteString } from '../../manifest/entry.ts';
import { lastComponent } from '../../manifest/paths.ts';

/** One tree that a unit backs up. */
export interface ScanRoot {
  /** Its path in the snapshot, such as `shadow` or `var/lib/pgsql/15/backups`. */
  readonly path: ByteString;
  /** The folder in which it lies: an absolute path whose every component is trusted. */
  readonly parent: ByteString;
  /** Its name there, when that is not the last component of `path`. */
  readonly entry?: ByteString;
}

/** The name under which a root lies in its folder. */
export function entryOfRoot({ path, entry }: Pick<ScanRoot, 'path' | 'entry'>): ByteString {
  return entry ?? lastComponent(path);
}

/** The absolute path of a root. */
export function sourceOf(root: ScanRoot): ByteString {
  return `${root.parent === '/' ? '' : root.parent}/${entryOfRoot(root)}`;
}

/** A level of the snapshot's tree above the roots: only names that lead to a root. */
export interface VirtualLevel {
  readonly children: Map<ByteString, VirtualLevel | ScanRoot>;
}

export function isScanRoot(node: VirtualLevel | ScanRoot): node is ScanRoot {
  return 'parent' in node;
}

/** Arranges the roots as a tree. No root may lie in another one. */
export function arrangeRoots(roots: readonly ScanRoot[]): VirtualLevel {
  const top: VirtualLevel = { children: new Map() };
  for (const root of roots) {
    const components = root.path.split('/');
    const last = components.pop() as ByteString;
    let level = top;
    for (const component of components) {
      let next = level.children.get(component);
      if (next === undefined) {
        next = { children: new Map() };
        level.children.set(component, next);
      }
      if (isScanRoot(next)) throw new RangeError(`${root.path} lies inside another root`);
      level = next;
    }
    if (level.children.has(last)) throw new RangeError(`${root.path} is named twice or holds another root`);
    level.children.set(last, root);
  }
  return top;
}
