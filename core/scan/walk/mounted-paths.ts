import { realpathSync } from 'node:fs';
import { readMounts } from '../../linux/mounts.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import type { MountKind } from './mounted-names.ts';
import { entryOfRoot, type ScanRoot } from './scan-roots.ts';

/** File systems that a process or another machine answers for. */
const SERVED = /^(fuse|nfs|cifs|smb|ceph|9p|virtiofs|afs|autofs|lustre|gpfs|beegfs|orangefs|coda|ncpfs)/;

/** The snapshot paths below the roots where something else is mounted: older kernels do not tell of a bind mount in statx. */
export function mountedPaths(roots: readonly ScanRoot[]): Map<ByteString, MountKind> {
  const mounts = readMounts();
  const paths = new Map<ByteString, MountKind>();
  for (const root of roots) {
    const { path, parent } = root;
    const folder = realPath(parent);
    const source = `${folder === '/' ? '' : folder}/${entryOfRoot(root)}`;
    for (const { mountPoint, fileSystem } of mounts) {
      if (mountPoint === source || !isWithin(mountPoint, source)) continue;
      paths.set(path + mountPoint.slice(source.length), SERVED.test(fileSystem) ? 'served' : 'local');
    }
  }
  return paths;
}

/** The kernel lists mounts by their real paths. A folder that is not there has none below it. */
function realPath(folder: ByteString): ByteString {
  try {
    return realpathSync(Buffer.from(folder, 'latin1'), { encoding: 'latin1' });
  } catch {
    return folder;
  }
}
