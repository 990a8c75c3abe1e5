import { ACCESS_ACL, type AclEntry, AclTag, DEFAULT_ACL, formatAcl, isNamed, parseAcl } from '../../linux/posix-acl.ts';
import type { Entry, Xattr } from '../../manifest/entry.ts';

/** Who gets what belonged to whom in the snapshot, as data that can be sent to another thread. */
export interface OwnerMap {
  /** By the ids that the snapshot has. */
  readonly users: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
  /** Who gets what belongs to anybody else; undefined: ids that are not mapped stay. */
  readonly rest: Rest | undefined;
}

/** An account of this server that everything goes to. */
export interface Rest {
  /** Ids below this are of the system, the same on each server, and stay. */
  readonly systemIdsBelow: number;
  readonly user: number;
  readonly group: number;
}

/** Hears of the ids of users and groups that the map does not have, and that `rest` is for. */
export type Stranger = (kind: 'user' | 'group', id: number, path: Entry['path']) => void;

const CAPABILITY = 'security.capability';
/** `struct vfs_ns_cap_data` of linux/capability.h: a version in the highest byte, and of version 3 the user who is root in the namespace, last. */
const NAMESPACED = 3;
const ROOT_ID_AT = 20;

/** The entry with the owners that the map gives it: those of its lists of access, and of its capabilities, too. */
export function withMappedOwners(entry: Entry, map: OwnerMap, onStranger: Stranger = () => {}): Entry {
  const tell = (kind: 'user' | 'group', id: number) => onStranger(kind, id, entry.path);
  const uid = ownerOf(entry.uid, map.users, map.rest, map.rest?.user, () => tell('user', entry.uid));
  const gid = ownerOf(entry.gid, map.groups, map.rest, map.rest?.group, () => tell('group', entry.gid));
  const xattrs = entry.xattrs.map((xattr) => mappedXattr(xattr, map, tell));
  const { projectId, ...others } = entry;
  // Projects count for quotas of the server that they are on.
  const project = projectId === undefined || map.rest !== undefined ? {} : { projectId };
  return { ...others, ...project, uid, gid, xattrs };
}

function ownerOf(
  id: number,
  known: ReadonlyMap<number, number>,
  rest: Rest | undefined,
  other: number | undefined,
  onStranger: () => void,
): number {
  const mapped = known.get(id);
  if (mapped !== undefined) return mapped;
  if (rest === undefined || other === undefined || id < rest.systemIdsBelow) return id;
  onStranger();
  return other;
}

function mappedXattr(xattr: Xattr, map: OwnerMap, tell: (kind: 'user' | 'group', id: number) => void): Xattr {
  const { name, value } = xattr;
  if (name === ACCESS_ACL || name === DEFAULT_ACL) return { name, value: mappedAcl(value, map, tell) };
  if (name !== CAPABILITY || value.length <= ROOT_ID_AT || value.readUInt8(3) !== NAMESPACED) return xattr;
  const rootId = map.users.get(value.readUInt32LE(ROOT_ID_AT));
  if (rootId === undefined) return xattr;
  const mapped = Buffer.from(value);
  mapped.writeUInt32LE(rootId, ROOT_ID_AT);
  return { name, value: mapped };
}

/**
 * The list with the ids that the map gives. Entries of strangers go, where there is somebody who gets the rest: nobody of this server means
 * anything by such an id. Where two become one, it has what both had.
 */
function mappedAcl(value: Buffer, { users, groups, rest }: OwnerMap, tell: (kind: 'user' | 'group', id: number) => void): Buffer {
  const entries = parseAcl(value);
  if (entries === undefined) return value;
  const mapped: AclEntry[] = [];
  for (const entry of entries) {
    const known = entry.tag === AclTag.user ? users : groups;
    const isStranger = isNamed(entry) && !known.has(entry.id) && rest !== undefined && entry.id >= rest.systemIdsBelow;
    if (isStranger) {
      tell(entry.tag === AclTag.user ? 'user' : 'group', entry.id);
      continue;
    }
    const id = isNamed(entry) ? (known.get(entry.id) ?? entry.id) : entry.id;
    const same = isNamed(entry) ? mapped.findIndex((each) => each.tag === entry.tag && each.id === id) : -1;
    const before = mapped[same];
    if (before === undefined) mapped.push({ ...entry, id });
    else mapped[same] = { ...before, permissions: before.permissions | entry.permissions };
  }
  // The kernel keeps them by kind, and its tools by id within a kind.
  mapped.sort((a, b) => a.tag - b.tag || (isNamed(a) ? a.id - b.id : 0));
  return formatAcl(mapped);
}
