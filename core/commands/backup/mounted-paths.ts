import { readMounts } from '../../linux/mounts.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import type { UnitRoot } from '../../panel/unit.ts';

/** The snapshot paths below the roots where something else is mounted: older kernels do not tell of a bind mount in statx. */
export function mountedPaths(roots: readonly UnitRoot[]): Set<ByteString> {
  const mounts = readMounts();
  const paths = new Set<ByteString>();
  for (const { path, parent } of roots) {
    const source = `${parent === '/' ? '' : parent}/${path.slice(path.lastIndexOf('/') + 1)}`;
    for (const { mountPoint } of mounts) {
      if (mountPoint !== source && isWithin(mountPoint, source)) paths.add(path + mountPoint.slice(source.length));
    }
  }
  return paths;
}
