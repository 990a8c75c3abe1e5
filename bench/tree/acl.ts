// Tags and layout of linux/posix_acl_xattr.h: a version, then tag, permissions and id of each entry, sorted by tag and id.
const VERSION = 2;
const [USER_OBJECT, USER, GROUP_OBJECT, MASK, OTHER] = [0x01, 0x02, 0x04, 0x10, 0x20];
const NOBODY = 0xffffffff;

export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

/** The web server's user on the panel's systems. */
export const APACHE_UID = 48;

/** The value of an access or default ACL that gives named users rights beside the owner's, the group's and everyone's. */
export function aclValue(users: readonly { readonly id: number; readonly rights: number }[], group: number, other: number): Buffer {
  const named = [...users].sort((a, b) => a.id - b.id).map(({ id, rights }) => [USER, rights, id] as const);
  const entries = [
    [USER_OBJECT, 7, NOBODY] as const,
    ...named,
    [GROUP_OBJECT, group, NOBODY] as const,
    [MASK, 7, NOBODY] as const,
    [OTHER, other, NOBODY] as const,
  ];
  const value = Buffer.alloc(4 + entries.length * 8);
  value.writeUInt32LE(VERSION, 0);
  for (const [index, [tag, rights, id]] of entries.entries()) {
    const at = 4 + index * 8;
    value.writeUInt16LE(tag, at);
    value.writeUInt16LE(rights, at + 2);
    value.writeUInt32LE(id, at + 4);
  }
  return value;
}

/** The few sets that the panel gives out in an account; the same ones on many files. */
export function accountAcls(uid: number): readonly Buffer[] {
  const apache = { id: APACHE_UID, rights: 7 };
  return [
    aclValue([apache, { id: uid, rights: 6 }], 5, 5),
    aclValue([apache, { id: uid, rights: 7 }], 5, 4),
    aclValue([{ ...apache, rights: 5 }], 5, 0),
    aclValue([apache], 7, 5),
  ];
}
