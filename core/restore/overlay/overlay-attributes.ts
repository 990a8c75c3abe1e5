import type { ByteString, Entry, Xattr } from '../../manifest/entry.ts';

const PREFIX = 'trusted.overlay.';
/** File handles and counters that mean something only beside the inodes for which the kernel wrote them. */
const BOUND_TO_INODES: ReadonlySet<ByteString> = new Set(['origin', 'upper', 'nlink', 'uuid'].map((name) => PREFIX + name));
/** What a mounted overlay keeps to itself, and what therefore cannot be restored through it. */
const ONLY_BELOW_MOUNT: ReadonlySet<ByteString> = new Set(['redirect', 'metacopy'].map((name) => PREFIX + name));

/** Stands on what the kernel copied up from a layer below. */
export const ORIGIN: ByteString = `${PREFIX}origin`;

export const OPAQUE: ByteString = `${PREFIX}opaque`;

/** Whether OverlayFS itself uses this attribute. */
export function isOverlayAttribute(name: ByteString): boolean {
  return name.startsWith(PREFIX);
}

/** Whether this attribute names inodes of the file system that it was read from. */
export function isBoundToInodes(name: ByteString): boolean {
  return BOUND_TO_INODES.has(name);
}

/** The attributes of an entry that a mounted overlay cannot take although the content depends on them. */
export function lostThroughMount(entry: Entry): ByteString[] {
  return entry.xattrs.filter(({ name }) => ONLY_BELOW_MOUNT.has(name)).map(({ name }) => name);
}

/** Whether the entry hides everything that the layers below have at its place (a directory), as the kernel marks it. */
export function isOpaque(xattrs: readonly Xattr[]): boolean {
  return xattrs.some(({ name, value }) => name === OPAQUE && value.latin1Slice() === 'y');
}

/** Whether the entry is OverlayFS' mark for a deleted name. */
export function isWhiteout(entry: Pick<Entry, 'kind' | 'deviceNumber'>): boolean {
  return entry.kind === 'character-device' && entry.deviceNumber?.major === 0 && entry.deviceNumber.minor === 0;
}
