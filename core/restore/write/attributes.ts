import { readInodeFlags, writeInodeFlags } from '../../linux/inode-flags.ts';
import { setMode, setModificationTime, setOwner } from '../../linux/metadata.ts';
import { ACCESS_ACL } from '../../linux/posix-acl.ts';
import { writeProjectId } from '../../linux/project-id.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { readXattrs, removeXattr, writeXattr } from '../../linux/xattrs.ts';
import type { ByteString, Entry, Xattr } from '../../manifest/entry.ts';
import { isBoundToInodes, isOverlayAttribute, lostThroughMount } from '../overlay/overlay-attributes.ts';
import { ADMINISTRATORS_FLAGS, isOwnersAttribute } from '../owner/owner-policy.ts';
import type { Refusal } from '../rules.ts';
import { PROTECTING_FLAGS } from '../target/protection.ts';
import type { Place } from '../target/target.ts';

/** What matters of the place that attributes are written to. */
export type AttributePlace = Pick<Place, 'overlay' | 'owner' | 'forced'>;

/** Labels that the system gives by its own policy: taken from the snapshot when it has them, never removed. */
const SYSTEM_LABELS: ReadonlySet<ByteString> = new Set(['security.selinux', 'security.ima', 'security.evm']);

/** What a mode allows its owner. */
const OWNERS_BITS = 0o700;

/** Up to this moment each file system can hold a time, in nanoseconds since 1970. */
const EVERYWHERE = 2_147_483_648n * 1_000_000_000n;
/** The most by which a file system rounds times, in nanoseconds. */
const COARSEST = 2_000_000_000n;

const stat = new StatBuffer();

/** Which of an entry's attributes are written, and which of those on the target are none of our business. */
export interface AttributePlan {
  readonly wanted: readonly Xattr[];
  readonly isKept: (name: ByteString) => boolean;
}

/**
 * The attributes that `entry` gets on what `descriptor` is open on. Through a mounted overlay `trusted.overlay.*` belongs to
 * the kernel; on another device than the recorded one, what names inodes of the old one is dropped. A restore for an account's
 * owner touches nothing that is an administrator's.
 */
export function planAttributes(descriptor: number, entry: Entry, place: AttributePlace): AttributePlan {
  const plan = planForAdministrator(descriptor, entry, place.overlay);
  if (place.owner === undefined) return plan;
  return { wanted: plan.wanted, isKept: (name) => plan.isKept(name) || !isOwnersAttribute(name) };
}

function planForAdministrator(descriptor: number, entry: Entry, throughOverlay: boolean): AttributePlan {
  if (throughOverlay) {
    return {
      wanted: entry.xattrs.filter(({ name }) => !isOverlayAttribute(name)),
      isKept: (name) => isOverlayAttribute(name) || SYSTEM_LABELS.has(name),
    };
  }
  if (!entry.xattrs.some(({ name }) => isBoundToInodes(name))) return { wanted: entry.xattrs, isKept: keptOnTarget };
  statDescriptor(descriptor, stat);
  if (stat.device === entry.device) return { wanted: entry.xattrs, isKept: keptOnTarget };
  return { wanted: entry.xattrs.filter(({ name }) => !isBoundToInodes(name)), isKept: keptOnTarget };
}

function keptOnTarget(name: ByteString): boolean {
  return isBoundToInodes(name) || SYSTEM_LABELS.has(name);
}

/**
 * Gives what `descriptor` is open on the entry's owner, mode, extended attributes and modification time, in the order in which
 * none undoes another: chown clears capabilities and set-id bits, chmod rewrites an ACL's mask. Attributes that are there
 * and not in the snapshot go. For what was made in a staging folder, where nothing is inherited; inode flags are set apart,
 * through a descriptor that is not an O_PATH one.
 */
export function writeAttributes(descriptor: number, entry: Entry, place: AttributePlace, refuse: Refusal): void {
  writeOwnerAndMode(descriptor, entry, place, refuse);
  attempt('extended attributes', refuse, () => writeXattrs(descriptor, entry, place, refuse, readXattrs(descriptor)));
  attempt('mtime', refuse, () => writeTime(descriptor, entry.mtime));
}

/**
 * The same for a file that is new and may have been made in its directory: an access list that it has from there, which is a tenant's
 * to choose, goes first. Throws when it does not go: nothing may become of such a file.
 */
export function writeNewAttributes(descriptor: number, entry: Entry, place: AttributePlace, refuse: Refusal): void {
  let present = readXattrs(descriptor);
  if (hasOtherAcl(present, entry)) {
    removeXattr(descriptor, ACCESS_ACL);
    present = present.filter(({ name }) => name !== ACCESS_ACL);
  }
  writeOwnerAndMode(descriptor, entry, place, refuse);
  attempt('extended attributes', refuse, () => writeXattrs(descriptor, entry, place, refuse, present));
  attempt('mtime', refuse, () => writeTime(descriptor, entry.mtime));
}

/** The same for what was there before. Its access list goes first: the new mode would let in whom that names. */
export function changeAttributes(descriptor: number, entry: Entry, place: AttributePlace, refuse: Refusal): void {
  attempt('access list', refuse, () => removeOtherAcl(descriptor, entry));
  writeAttributes(descriptor, entry, place, refuse);
}

/** An access list that is not the snapshot's goes before the mode is set, and with it what it gave, the bits of the group too. */
function removeOtherAcl(descriptor: number, entry: Entry): void {
  if (!hasOtherAcl(readXattrs(descriptor), entry)) return;
  statDescriptor(descriptor, stat);
  setMode(descriptor, stat.mode & OWNERS_BITS);
  removeXattr(descriptor, ACCESS_ACL);
}

function hasOtherAcl(xattrs: readonly Xattr[], entry: Entry): boolean {
  const present = xattrs.find(({ name }) => name === ACCESS_ACL)?.value;
  return present !== undefined && !entry.xattrs.some(({ name, value }) => name === ACCESS_ACL && value.equals(present));
}

/** Sets the modification time. A time that not every file system can hold is looked at afterwards: the kernel takes the nearest one without a word. */
function writeTime(descriptor: number, mtime: bigint): void {
  setModificationTime(descriptor, mtime);
  if (mtime >= 0n && mtime < EVERYWHERE) return;
  statDescriptor(descriptor, stat);
  // Some know no fractions.
  const off = mtime - stat.mtime;
  if (off <= -COARSEST || off >= COARSEST) throw new Error('this file system cannot hold a time so far away');
}

function writeOwnerAndMode(descriptor: number, entry: Entry, { forced }: AttributePlace, refuse: Refusal): void {
  // What the target forces was named once, for all.
  if (forced?.owners !== true) attempt('owner', refuse, () => setOwner(descriptor, entry.uid, entry.gid));
  if (entry.kind !== 'symlink' && forced?.modes !== true) attempt('mode', refuse, () => setMode(descriptor, entry.mode));
}

/** `present` are the attributes that are there. */
function writeXattrs(descriptor: number, entry: Entry, place: AttributePlace, refuse: Refusal, present: readonly Xattr[]): void {
  const { wanted, isKept } = planAttributes(descriptor, entry, place);
  for (const { name } of present) {
    if (isKept(name) || wanted.some((xattr) => xattr.name === name)) continue;
    attempt(name, refuse, () => removeXattr(descriptor, name));
  }
  for (const { name, value } of wanted) {
    if (present.some((xattr) => xattr.name === name && xattr.value.equals(value))) continue;
    attempt(name, refuse, () => writeXattr(descriptor, name, value));
  }
  if (place.overlay) for (const name of lostThroughMount(entry)) refuse(name, new Error('cannot be set while the account is mounted'));
}

/** Sets the inode flags that do not keep us from working on: to be done before content is written. */
export function writeHarmlessFlags(descriptor: number, entry: Entry, { owner }: AttributePlace, refuse: Refusal): void {
  attempt('inode flags', refuse, () => {
    const kept = owner === undefined ? 0 : readInodeFlags(descriptor) & ADMINISTRATORS_FLAGS;
    writeInodeFlags(descriptor, (entry.inodeFlags & ~PROTECTING_FLAGS) | kept);
  });
}

/**
 * Gives a finished file or directory to the project that it belonged to. One that belonged to none stays in that which its directory
 * gives to what is new in it. Which project counts what is not an owner's to say.
 */
export function writeProject(descriptor: number, { projectId }: Entry, { owner }: AttributePlace, refuse: Refusal): void {
  if (projectId === undefined || owner !== undefined) return;
  attempt('project id', refuse, () => writeProjectId(descriptor, projectId));
}

/** Sets the immutable and append-only flags of a finished file or directory: nothing can be changed afterwards. */
export function writeProtectingFlags(descriptor: number, entry: Entry, refuse: Refusal): void {
  if ((entry.inodeFlags & PROTECTING_FLAGS) === 0) return;
  attempt('inode flags', refuse, () => writeInodeFlags(descriptor, readInodeFlags(descriptor) | (entry.inodeFlags & PROTECTING_FLAGS)));
}

function attempt(what: ByteString, refuse: Refusal, action: () => void): void {
  try {
    action();
  } catch (error) {
    refuse(what, error);
  }
}
