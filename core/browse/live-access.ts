import { closeDescriptor, openDirectoryAt, openHandleAt, openTrustedDirectory } from '../linux/files.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import { readXattrs } from '../linux/xattrs.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { lastComponent } from '../manifest/paths.ts';
import type { PanelUnit } from '../panel/unit.ts';
import type { Access } from '../restore/owner/owner-sight.ts';

const stat = new StatBuffer();
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** What stands at a path of a unit now, reached without following a link; undefined when nothing does. */
export function liveAccess(unit: PanelUnit, path: ByteString): Access | undefined {
  const root = unit.roots.find((candidate) => isWithin(path, candidate.path));
  if (root === undefined) return undefined;
  const names = [lastComponent(root.path), ...path.slice(root.path.length).split('/').filter(Boolean)];
  let descriptor = openTrustedDirectory(root.parent);
  try {
    for (const [index, name] of names.entries()) {
      const above = descriptor;
      descriptor = index === names.length - 1 ? openHandleAt(above, name) : openDirectoryAt(above, name);
      closeDescriptor(above);
    }
    statDescriptor(descriptor, stat);
    const { kind, mode, uid, gid } = stat;
    return { kind, mode, uid, gid, xattrs: readXattrs(descriptor) };
  } catch (error) {
    if (ABSENT.has(errorCode(error))) return undefined;
    throw error;
  } finally {
    closeDescriptor(descriptor);
  }
}
