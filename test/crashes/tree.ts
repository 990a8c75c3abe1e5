import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What each entry below a folder is, in a line a path: type, mode, owner, time, content, target. Attributes have tests of their own. */
export type Tree = ReadonlyMap<string, string>;

/** What a restore calls its own until it is done. */
export const STAGING = /(?:^|\/)\.apiscp-backup-[0-9a-f]{16}(?=$|\/)/;

/** The entries below a folder, without the folder itself; none where there is none. */
export function treeOf(folder: string): Tree {
  const tree = new Map<string, string>();
  const first = new Map<bigint, string>();
  walk(folder, '', tree, first);
  return tree;
}

function walk(folder: string, below: string, tree: Map<string, string>, first: Map<bigint, string>): void {
  for (const name of namesIn(join(folder, below))) {
    const path = below === '' ? name : `${below}/${name}`;
    const file = join(folder, path);
    const status = lstatSync(file, { bigint: true });
    const common = `${status.mode.toString(8)} ${status.uid}:${status.gid} ${status.mtimeNs}`;
    if (status.isDirectory()) {
      tree.set(path, `folder ${common}`);
      walk(folder, path, tree, first);
    } else if (status.isSymbolicLink()) tree.set(path, `link ${common} ${readlinkSync(file)}`);
    else {
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
      tree.set(path, `file ${common} ${digest}${namesOf(path, status, first)}`);
    }
  }
}

function namesIn(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(folder).sort();
}

function namesOf(path: string, { nlink, ino }: { nlink: bigint; ino: bigint }, first: Map<bigint, string>): string {
  if (nlink === 1n) return '';
  const other = first.get(ino) ?? path;
  first.set(ino, other);
  return ` one of ${nlink} names, with ${other}`;
}

/** How a tree differs from what it should be, in a line a path. */
export function differences(expected: Tree, found: Tree): string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return paths
    .filter((path) => expected.get(path) !== found.get(path))
    .map((path) => `${path}: ${found.get(path) ?? 'missing'} instead of ${expected.get(path) ?? 'nothing'}`);
}
