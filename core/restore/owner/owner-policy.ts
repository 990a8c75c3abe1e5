import { FS_APPEND_FL, FS_IMMUTABLE_FL, FS_PROJINHERIT_FL } from '../../linux/inode-flags.ts';
import { ACCESS_ACL, AclTag, DEFAULT_ACL, formatAcl, isNamed, parseAcl } from '../../linux/posix-acl.ts';
import type { ByteString, Entry, Xattr } from '../../manifest/entry.ts';
import { isBoundToInodes, OPAQUE } from '../overlay/overlay-attributes.ts';
import type { SnapshotView } from '../plan/snapshot-view.ts';
import type { OwnerRights } from './owner-rights.ts';

const SET_UID = 0o4000;
const SET_GID = 0o2000;
/** The inode flags that the kernel or the file system's quota keeps from ordinary users. */
export const ADMINISTRATORS_FLAGS = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_PROJINHERIT_FL;
/** Attributes that the system gives by itself: nobody misses the recorded ones. */
const GIVEN_BY_SYSTEM: ReadonlySet<ByteString> = new Set(['security.selinux', 'security.ima', 'security.evm', 'trusted.overlay.impure']);

/** An entry as an account's owner may have it. */
export interface Permitted {
  readonly entry: Entry;
  /** What it lost, for people. */
  readonly dropped: readonly string[];
}

/** Whether an owner's restore may set or remove this attribute at all. */
export function isOwnersAttribute(name: ByteString): boolean {
  return name.startsWith('user.') || name === ACCESS_ACL || name === DEFAULT_ACL || name === OPAQUE;
}

/** Takes from an entry that belongs to the account what only an administrator may restore. */
export function permit(entry: Entry, rights: OwnerRights): Permitted {
  const dropped: string[] = [];
  const mode = permittedMode(entry, dropped);
  const inodeFlags = entry.inodeFlags & ~ADMINISTRATORS_FLAGS;
  if ((entry.inodeFlags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) !== 0) dropped.push('protection against changes');
  const xattrs = entry.xattrs.flatMap((xattr) => permittedXattr(xattr, rights, dropped) ?? []);
  return { entry: { ...entry, mode, inodeFlags, xattrs }, dropped };
}

/** A directory keeps its set-gid bit: entries below it get the group of the account, which it has. */
function permittedMode({ kind, mode }: Entry, dropped: string[]): number {
  const refused = mode & (kind === 'directory' ? SET_UID : SET_UID | SET_GID);
  if ((refused & SET_UID) !== 0) dropped.push('set-uid bit');
  if ((refused & SET_GID) !== 0) dropped.push('set-gid bit');
  return mode & ~refused;
}

function permittedXattr({ name, value }: Xattr, rights: OwnerRights, dropped: string[]): Xattr | undefined {
  if (isOwnersAttribute(name))
    return name === ACCESS_ACL || name === DEFAULT_ACL ? permittedAcl(name, value, rights, dropped) : { name, value };
  if (!GIVEN_BY_SYSTEM.has(name) && !isBoundToInodes(name)) dropped.push(name);
  return undefined;
}

/** The ACL without the entries of users and groups that are neither the account's nor the system's. */
function permittedAcl(name: ByteString, value: Buffer, rights: OwnerRights, dropped: string[]): Xattr | undefined {
  const entries = parseAcl(value);
  if (entries === undefined) {
    dropped.push(name);
    return undefined;
  }
  const kept = entries.filter((entry) => {
    const { tag, id } = entry;
    const isAllowed = !isNamed(entry) || id < rights.systemIdsBelow || rights.named.has(id) || isAccounts(tag, id, rights);
    if (!isAllowed) dropped.push(`${name} for ${tag === AclTag.user ? 'user' : 'group'} ${id}`);
    return isAllowed;
  });
  return { name, value: kept.length === entries.length ? value : formatAcl(kept) };
}

function isAccounts(tag: number, id: number, { users, group }: OwnerRights): boolean {
  return tag === AclTag.user ? users.has(id) : id === group;
}

/** The same point in time, its entries as the owner may have them. Which entries are given at all, the gate decides. */
export function permittedView(view: SnapshotView, rights: OwnerRights | undefined): SnapshotView {
  if (rights === undefined) return view;
  return {
    entriesFrom: (from) => view.entriesFrom(from),
    find: (path) => view.find(path),
    entryAt: (place) => permit(view.entryAt(place), rights).entry,
  };
}
