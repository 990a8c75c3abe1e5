import { Failure } from '../../failure.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import type { Entry } from '../../manifest/entry.ts';

/** What an account's owner may be given, as data that can be sent to another thread. All ids are of the account as it lives now. */
export interface OwnerRights {
  /** The users of the account. */
  readonly users: ReadonlySet<number>;
  /** The group of the account. */
  readonly group: number;
  /** Whom folders belong to that have to be made and are not the account's in the snapshot. */
  readonly folderOwner: number;
  /** Ids below this are users and groups of the system: ACLs may name them, nothing is given to them. */
  readonly systemIdsBelow: number;
  /** Further ids that ACLs of the account may name, as they do now. */
  readonly named: ReadonlySet<number>;
  /** Whether everything goes to a new folder, where nothing of the panel is and folders can be made as needed. */
  readonly elsewhere: boolean;
}

const stat = new StatBuffer();

/** Whether an entry of the snapshot belongs to the account. */
export function isOwn({ uid, gid }: Pick<Entry, 'uid' | 'gid'>, { users, group }: OwnerRights): boolean {
  return users.has(uid) && gid === group;
}

/**
 * Throws `owner_not_allowed` when an open directory is not the account's: nothing is put into it, replaced or removed, whoever what
 * stands in it belongs to. The descriptor is looked at, so a directory that was renamed to the path since is seen for
 * what it is. Without `owner`, for administrators, nothing is looked at.
 */
export function checkDirectory(directory: number, owner: OwnerRights | undefined): void {
  if (owner === undefined) return;
  statDescriptor(directory, stat);
  if (!owner.users.has(stat.uid)) throw new Failure('owner_not_allowed', 'the folder belongs to somebody outside of the account');
}
