import type { ByteString } from '../../manifest/entry.ts';
import { lastComponent, parentPath } from '../../manifest/paths.ts';

/**
 * What is mounted somewhere: `local` answers at once; what is `served` by a process of somebody's or by another machine may never
 * answer, so it is not even looked at.
 */
export type MountKind = 'local' | 'served';

/** Paths as in the snapshot at which something is mounted, by the directory that each lies in. */
export function mountsByDirectory(mounts: ReadonlyMap<ByteString, MountKind>): ReadonlyMap<ByteString, ReadonlyMap<ByteString, MountKind>> {
  const directories = new Map<ByteString, Map<ByteString, MountKind>>();
  for (const [path, kind] of mounts) {
    const directory = parentPath(path);
    const names = directories.get(directory) ?? new Map<ByteString, MountKind>();
    directories.set(directory, names.set(lastComponent(path), kind));
  }
  return directories;
}
