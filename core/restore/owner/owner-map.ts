import { ACCESS_ACL, type AclEntry, AclTag, DEFAULT_ACL, formatAcl, isNamed, parseAcl } from '../../linux/posix-acl.ts';
import type { Entry, Xattr } from '../../manifest/entry.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';

/** Who gets what belonged to whom in the snapshot, as data that can be sent to another thread. */
export interface OwnerMap {
  /** By the ids that the snapshot has. */
  readonly users: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
  /** Ids below this are of the system, the same on each server. */
  readonly systemIdsBelow: number;
  /** Who gets what belongs to anybody else; undefined: ids that are not mapped stay. */
  readonly rest: Rest | undefined;
}

/** An account of this server that everything goes to, but for what the system's users have. */
export interface Rest {
  readonly user: number;
  readonly group: number;
}

/** What an entry had that it does not get; `affects` is the same for all entries of which the same is said. */
export interface Loss {
  readonly message: string;
  readonly affects: string;
  readonly path: Entry['path'];
}

export type OnLoss = (loss: Loss) => void;

const SET_UID = 0o4000;
const SET_GID = 0o2000;
const CAPABILITY = 'security.capability';
/** `struct vfs_ns_cap_data` of linux/capability.h: a version in the highest byte, and of version 3 the user who is root in the namespace, last. */
const NAMESPACED = 3;
const ROOT_ID_AT = 20;

/** The entry with the owners that the map gives it: those of its lists of access, and of its capabilities, too. */
export function withMappedOwners(entry: Entry, map: OwnerMap, onLoss: OnLoss = () => {}): Entry {
  const { path } = entry;
  const stranger = (kind: 'user' | 'group', id: number): void => {
    const message = `the ${kind} ${id} of the snapshot is nobody of the account: what was theirs is the account’s now, and no list of access names them`;
    onLoss({ message, affects: `${kind} ${id}`, path });
  };
  const lose = (what: string): void => onLoss({ message: `not restored: ${what}`, affects: `${what} of ${path}`, path });
  const uid = ownerOf(entry.uid, map.users, map, map.rest?.user, () => stranger('user', entry.uid));
  const gid = ownerOf(entry.gid, map.groups, map, map.rest?.group, () => stranger('group', entry.gid));
  const xattrs = entry.xattrs.flatMap((xattr) => mappedXattr(xattr, map, stranger, lose) ?? []);
  const { projectId, ...others } = entry;
  // Projects count for quotas of the server that they are on.
  const project = projectId === undefined || map.rest !== undefined ? {} : { projectId };
  return { ...others, ...project, uid, gid, mode: mappedMode(entry, { uid, gid }, map, lose), xattrs };
}

/** A device is a way around everything; what deletes in an upper layer (a whiteout) is none. */
export function isForeignDevice(entry: Entry, { rest }: OwnerMap): boolean {
  return rest !== undefined && ['block-device', 'character-device'].includes(entry.kind) && !isWhiteout(entry);
}

function ownerOf(
  id: number,
  known: ReadonlyMap<number, number>,
  { rest, systemIdsBelow }: OwnerMap,
  other: number | undefined,
  onStranger: () => void,
): number {
  const mapped = known.get(id);
  if (mapped !== undefined) return mapped;
  if (rest === undefined || other === undefined || id < systemIdsBelow) return id;
  onStranger();
  return other;
}

/**
 * Without set-id bits that would lend the powers of a user or group of the system: of one whose the file was not, and onto an account none at all, since
 * another server says so.
 */
function mappedMode(entry: Entry, { uid, gid }: { uid: number; gid: number }, map: OwnerMap, lose: (what: string) => void): number {
  const { kind, mode } = entry;
  const lends = (id: number, before: number): boolean => id < map.systemIdsBelow && (map.rest !== undefined || id !== before);
  let refused = 0;
  if ((mode & SET_UID) !== 0 && kind === 'file' && lends(uid, entry.uid)) {
    refused |= SET_UID;
    lose(`the set-uid bit, which would lend the powers of the user ${uid}`);
  }
  if ((mode & SET_GID) !== 0 && kind === 'file' && lends(gid, entry.gid)) {
    refused |= SET_GID;
    lose(`the set-gid bit, which would lend the powers of the group ${gid}`);
  }
  return mode & ~refused;
}

function mappedXattr(
  xattr: Xattr,
  map: OwnerMap,
  stranger: (kind: 'user' | 'group', id: number) => void,
  lose: (what: string) => void,
): Xattr | undefined {
  const { name, value } = xattr;
  if (name === ACCESS_ACL || name === DEFAULT_ACL) return { name, value: mappedAcl(value, map, stranger) };
  if (name !== CAPABILITY) return xattr;
  const isNamespaced = value.length > ROOT_ID_AT && value.readUInt8(3) === NAMESPACED;
  const rootId = isNamespaced ? map.users.get(value.readUInt32LE(ROOT_ID_AT)) : undefined;
  if (rootId !== undefined && rootId >= map.systemIdsBelow) {
    const mapped = Buffer.from(value);
    mapped.writeUInt32LE(rootId, ROOT_ID_AT);
    return { name, value: mapped };
  }
  if (map.rest === undefined && rootId === undefined) return xattr;
  lose('file capabilities, which are no user’s of the account');
  return undefined;
}

/**
 * The list with the ids that the map gives. Entries of strangers go, where there is somebody who gets the rest: nobody of this server means
 * anything by such an id. Where two become one, it has what both had.
 */
function mappedAcl(
  value: Buffer,
  { users, groups, rest, systemIdsBelow }: OwnerMap,
  tell: (kind: 'user' | 'group', id: number) => void,
): Buffer {
  const entries = parseAcl(value);
  if (entries === undefined) return value;
  const mapped: AclEntry[] = [];
  for (const entry of entries) {
    const known = entry.tag === AclTag.user ? users : groups;
    const isStranger = isNamed(entry) && !known.has(entry.id) && rest !== undefined && entry.id >= systemIdsBelow;
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
