import { realpathSync, statSync } from 'node:fs';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import type { Mount } from './mounts.ts';

/** Where a folder lies in its file system, whatever links and mounts lead there. */
export interface Place {
  /** Where it is found: no component is a link. */
  readonly real: ByteString;
  /** Of the file system: `8:1`. */
  readonly device: string;
  /** From the top of the file system, which is empty: `/virtual/site1`. */
  readonly path: ByteString;
  /** Device and inode. */
  readonly identity: string;
}

/** The place of a folder; undefined for what is no folder, or not there. */
export function placeOf(folder: ByteString, mounts: readonly Mount[]): Place | undefined {
  const real = realPathOf(folder);
  const identity = real === undefined ? undefined : identityOf(real);
  if (real === undefined || identity === undefined) return undefined;
  let holding: Mount | undefined;
  // Of two mounts over the same folder the later one is seen.
  for (const mount of mounts) {
    const above = mount.mountPoint === '/' ? '' : mount.mountPoint;
    if (isWithin(real, above) && mount.mountPoint.length >= (holding?.mountPoint.length ?? 0)) holding = mount;
  }
  if (holding === undefined) return undefined;
  const below = holding.mountPoint === '/' ? real : real.slice(holding.mountPoint.length);
  return { real, identity, device: holding.device, path: withoutTop(`${holding.root === '/' ? '' : holding.root}${below}`) };
}

/** The path of `inner` below `outer`: empty for the folder itself, undefined when it does not lie there. */
export function pathBelow(inner: Pick<Place, 'device' | 'path'>, outer: Pick<Place, 'device' | 'path'>): ByteString | undefined {
  return inner.device === outer.device && isWithin(inner.path, outer.path)
    ? withoutTop(inner.path.slice(outer.path.length)).slice(1)
    : undefined;
}

function withoutTop(path: ByteString): ByteString {
  return path === '/' ? '' : path;
}

function identityOf(folder: ByteString): string | undefined {
  const status = statSync(Buffer.from(folder, 'latin1'), { throwIfNoEntry: false, bigint: true });
  return status?.isDirectory() === true ? `${status.dev}:${status.ino}` : undefined;
}

function realPathOf(folder: ByteString): ByteString | undefined {
  try {
    return realpathSync(Buffer.from(folder, 'latin1'), { encoding: 'latin1' });
  } catch {
    return undefined;
  }
}
