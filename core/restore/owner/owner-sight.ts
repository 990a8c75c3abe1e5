import { ACCESS_ACL, AclTag, parseAcl } from '../../linux/posix-acl.ts';
import type { Entry } from '../../manifest/entry.ts';
import type { OwnerRights } from './owner-rights.ts';

/** What decides who may read an entry. */
export type Access = Pick<Entry, 'kind' | 'mode' | 'uid' | 'gid' | 'xattrs'>;

const READ = 4;
/** A folder is read and entered. */
const READ_AND_SEARCH = 5;

/** Whose an account is. */
type AccountIds = Pick<OwnerRights, 'users' | 'group'>;

/** What an account's owner is shown of backups: what the account's users could open themselves, and nothing else. */
export class OwnerSight {
  readonly #users: AccountIds;

  constructor(users: AccountIds) {
    this.#users = users;
  }

  /** Whether one of the account's users could open this entry, once it is reached. What is their own they could open to themselves. */
  opens(entry: Access): boolean {
    const { users } = this.#users;
    if (users.has(entry.uid) || entry.kind === 'symlink') return true;
    const wanted = entry.kind === 'directory' ? READ_AND_SEARCH : READ;
    return (this.#permissions(entry) & wanted) === wanted;
  }

  #permissions({ mode, gid, xattrs }: Access): number {
    const { users, group } = this.#users;
    const acl = parseAcl(xattrs.find(({ name }) => name === ACCESS_ACL)?.value ?? Buffer.alloc(0));
    if (acl === undefined) return gid === group ? (mode >> 3) & 7 : mode & 7;
    const mask = acl.find(({ tag }) => tag === AclTag.mask)?.permissions ?? 7;
    const fitting = acl.filter(
      ({ tag, id }) =>
        (tag === AclTag.user && users.has(id)) || (tag === AclTag.group && id === group) || (tag === AclTag.groupObject && gid === group),
    );
    if (fitting.length > 0) return fitting.reduce((all, { permissions }) => all | permissions, 0) & mask;
    return acl.find(({ tag }) => tag === AclTag.other)?.permissions ?? 0;
  }
}
