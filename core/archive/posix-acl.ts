/** Attributes that hold POSIX ACLs in the kernel's binary form. */
export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

const VERSION = 2;
const HEADER_LENGTH = 4;
const ENTRY_LENGTH = 8;

const USER_OBJECT = 0x01;
const USER = 0x02;
const GROUP_OBJECT = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;

const LABELS = new Map([
  [USER_OBJECT, 'user:'],
  [USER, 'user:'],
  [GROUP_OBJECT, 'group:'],
  [GROUP, 'group:'],
  [MASK, 'mask:'],
  [OTHER, 'other:'],
]);
const PERMISSIONS = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];

/**
 * The short text form (acl(5), with numeric ids) of an ACL as the kernel keeps it in an attribute (`struct
 * posix_acl_xattr_header` of linux/posix_acl_xattr.h, version 2). Undefined for a value that no kernel would accept: tar
 * readers would fail on its text.
 */
export function aclText(value: Buffer): string | undefined {
  if (value.length <= HEADER_LENGTH || (value.length - HEADER_LENGTH) % ENTRY_LENGTH !== 0) return undefined;
  if (value.readUInt32LE(0) !== VERSION) return undefined;
  const parts: string[] = [];
  const counts = new Map<number, number>();
  for (let at = HEADER_LENGTH; at < value.length; at += ENTRY_LENGTH) {
    const tag = value.readUInt16LE(at);
    const label = LABELS.get(tag);
    const permissions = PERMISSIONS[value.readUInt16LE(at + 2)];
    if (label === undefined || permissions === undefined) return undefined;
    const id = tag === USER || tag === GROUP ? value.readUInt32LE(at + 4) : '';
    parts.push(`${label}${id}:${permissions}`);
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return isComplete(counts) ? parts.join(',') : undefined;
}

/** Owner, group and others once each; a mask at most once, and required beside named users and groups. */
function isComplete(counts: ReadonlyMap<number, number>): boolean {
  for (const tag of [USER_OBJECT, GROUP_OBJECT, OTHER]) if (counts.get(tag) !== 1) return false;
  const masks = counts.get(MASK) ?? 0;
  return masks === 1 || (masks === 0 && !counts.has(USER) && !counts.has(GROUP));
}
