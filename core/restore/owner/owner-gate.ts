import { Failure } from '../../failure.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { parentPath } from '../../manifest/paths.ts';
import type { OutcomeBuilder } from '../outcome.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import type { SelectedEntry } from '../plan/snapshot-view.ts';

import type { Target } from '../target/target.ts';
import { permit } from './owner-policy.ts';
import { isOwn, type OwnerRights } from './owner-rights.ts';
import { OwnerSight } from './owner-sight.ts';

/** The only tree of an account that its owner may be given: `info` holds what the plan grants. */
export const OWNERS_TREE: ByteString = 'shadow';
/** What in it is the panel's and the system's, whoever it belongs to. */
const PANELS_TREES: readonly ByteString[] = ['etc', 'dev', 'proc'].map((name) => `${OWNERS_TREE}/${name}`);

const FOREIGN_FOLDER = 'the folder that it is in belongs to somebody outside of the account';

const stat = new StatBuffer();

/** Whether an owner's restore may touch this path at all. */
export function isOwnersPath(path: ByteString): boolean {
  return isWithin(path, OWNERS_TREE) && !PANELS_TREES.some((tree) => isWithin(path, tree));
}

/**
 * Lets of the selected entries pass what an account's owner may have back, without what nobody but an administrator may give.
 * What stays behind is reported, but for directories of others that exist: what is below them passes, they stay as they are.
 */
export class OwnerGate {
  readonly #rights: OwnerRights;
  readonly #target: Target;
  readonly #outcome: OutcomeBuilder;
  /** A directory that is not restored, and nothing below it. */
  #closed: ByteString | undefined;
  /** A directory that the owner could not open: nothing in it is named. */
  #hidden: ByteString | undefined;
  readonly #sight: OwnerSight;
  /** The directory that was asked about last. */
  #parent: ByteString | undefined;
  #isParentOwn = false;

  constructor(rights: OwnerRights, target: Target, outcome: OutcomeBuilder) {
    this.#rights = rights;
    this.#sight = new OwnerSight(rights);
    this.#target = target;
    this.#outcome = outcome;
  }

  *pass(selected: Iterable<SelectedEntry>): Generator<SelectedEntry> {
    for (const each of selected) {
      const { entry, isParent } = each;
      if (this.#hidden === undefined || !isWithin(entry.path, this.#hidden)) {
        this.#hidden = entry.kind === 'directory' && !this.#sight.opens(entry) ? entry.path : undefined;
      }
      if (this.#closed !== undefined && isWithin(entry.path, this.#closed)) {
        if (isOwnersPath(entry.path) && !isParent) this.#refuse(entry, 'the directory that contained it is not restored');
        continue;
      }
      if (!isOwnersPath(entry.path)) {
        this.#closed = entry.path;
        this.#refuse(entry, 'this belongs to the panel');
        continue;
      }
      if (!(entry.kind === 'directory' ? this.#passDirectory(each) : this.#passOther(entry))) continue;
      const permitted = permit(entry, this.#rights);
      if (permitted.dropped.length > 0 && !isParent) this.#reportDropped(entry.path, permitted.dropped);
      yield { ...each, entry: permitted.entry };
    }
  }

  /** What the owner could not open is told as something in its folder, and not by its name. */
  #refuse(entry: Entry, message: string): void {
    this.#outcome.entries++;
    const path = this.#hidden === undefined && this.#sight.opens(entry) ? entry.path : parentPath(this.#hidden ?? entry.path);
    this.#outcome.fail({ code: 'owner_not_allowed', message: path === entry.path ? message : `something in it: ${message}`, path });
  }

  #reportDropped(path: ByteString, dropped: readonly string[]): void {
    const message = `only an administrator can restore: ${dropped.join(', ')}`;
    this.#outcome.report({ code: 'attribute_refused', message, path });
  }

  #passDirectory({ entry, isParent }: SelectedEntry): boolean {
    const liveOwner = this.#ownerOfDirectory(entry.path);
    const own = isOwn(entry, this.#rights);
    if (own && liveOwner !== undefined && this.#rights.users.has(liveOwner)) return true;
    if (own && liveOwner === undefined && this.#mayPutInto(parentPath(entry.path))) return true;
    if (liveOwner !== undefined) {
      if (isParent) return false;
      if (own) this.#refuse(entry, 'the directory no longer belongs to the account: it stays as it is, and nothing is put into it');
      else this.#outcome.leaveAlone();
    } else if (own || !this.#rights.elsewhere) {
      this.#closed = entry.path;
      this.#refuse(entry, own ? FOREIGN_FOLDER : 'it belongs to somebody outside of the account');
    } else if (!isParent) {
      this.#outcome.leaveAlone();
    }
    return false;
  }

  #passOther(entry: Entry): boolean {
    // The kernel makes whiteouts as root: who may delete in the directory may have them.
    if (!this.#mayPutInto(parentPath(entry.path))) {
      this.#refuse(entry, FOREIGN_FOLDER);
    } else if (isWhiteout(entry)) {
      return true;
    } else if (entry.kind === 'character-device' || entry.kind === 'block-device') {
      this.#refuse(entry, 'account owners get no devices');
    } else if (isOwn(entry, this.#rights)) {
      return true;
    } else {
      this.#refuse(entry, 'it belongs to somebody outside of the account');
    }
    return false;
  }

  /** Whether the directory, if it is there, is the account's. Asked for one entry after the other of the same directory. */
  #mayPutInto(path: ByteString): boolean {
    if (path !== this.#parent) {
      const owner = this.#ownerOfDirectory(path);
      this.#isParentOwn = owner === undefined || this.#rights.users.has(owner);
      this.#parent = path;
    }
    return this.#isParentOwn;
  }

  /** Whether what stands in the directory may be judged by the snapshot: it is the account's, then and now. */
  ownsDirectory(entry: Entry): boolean {
    const liveOwner = this.#ownerOfDirectory(entry.path);
    return isOwnersPath(entry.path) && isOwn(entry, this.#rights) && liveOwner !== undefined && this.#rights.users.has(liveOwner);
  }

  /** The user id of the directory that stands at a path now; undefined when none does. */
  #ownerOfDirectory(path: ByteString): number | undefined {
    try {
      statDescriptor(this.#target.directory(path), stat);
      return stat.uid;
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || error instanceof Failure) return undefined;
      throw error;
    }
  }
}
