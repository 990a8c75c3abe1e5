/** Attributes that hold POSIX ACLs in the kernel's binary form. */
export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

const VERSION = 2;
const HEADER_LENGTH = 4;
const ENTRY_LENGTH = 8;

/** Whom an ACL entry means (`e_tag`); `user` and `group` name an id. */
export const AclTag = { userObject: 0x01, user: 0x02, groupObject: 0x04, group: 0x08, mask: 0x10, other: 0x20 } as const;

/** One entry of an ACL. */
export interface AclEntry {
  readonly tag: number;
  /** The three permission bits. */
  readonly permissions: number;
  /** Means something only for `AclTag.user` and `AclTag.group`. */
  readonly id: number;
}

/**
 * The entries of an ACL as the kernel keeps it in an attribute (`struct posix_acl_xattr_header` of linux/posix_acl_xattr.h,
 * version 2). Undefined for a value of another form.
 */
export function parseAcl(value: Buffer): AclEntry[] | undefined {
  if (value.length < HEADER_LENGTH || (value.length - HEADER_LENGTH) % ENTRY_LENGTH !== 0) return undefined;
  if (value.readUInt32LE(0) !== VERSION) return undefined;
  const entries: AclEntry[] = [];
  for (let at = HEADER_LENGTH; at < value.length; at += ENTRY_LENGTH) {
    entries.push({ tag: value.readUInt16LE(at), permissions: value.readUInt16LE(at + 2), id: value.readUInt32LE(at + 4) });
  }
  return entries;
}

/** The attribute's value for these entries. */
export function formatAcl(entries: readonly AclEntry[]): Buffer {
  const value = Buffer.alloc(HEADER_LENGTH + entries.length * ENTRY_LENGTH);
  value.writeUInt32LE(VERSION, 0);
  for (const [index, { tag, permissions, id }] of entries.entries()) {
    const at = HEADER_LENGTH + index * ENTRY_LENGTH;
    value.writeUInt16LE(tag, at);
    value.writeUInt16LE(permissions, at + 2);
    value.writeUInt32LE(id, at + 4);
  }
  return value;
}

/** Whether this entry names a user or a group by its id. */
export function isNamed({ tag }: AclEntry): boolean {
  return tag === AclTag.user || tag === AclTag.group;
}
