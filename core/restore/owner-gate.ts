import { Failure } from '../failure.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { parentPath } from './names.ts';
import type { OutcomeBuilder } from './outcome.ts';
import { isWhiteout } from './overlay-attributes.ts';
import { permit } from './owner-policy.ts';
import { isOwn, type OwnerRights } from './owner-rights.ts';
import type { SelectedEntry } from './snapshot-view.ts';
import type { Target } from './target.ts';

/** The only tree of an account that its owner may be given: `info` holds what the plan grants. */
export const OWNERS_TREE: ByteString = 'shadow';
/** What in it is the panel's and the system's, whoever it belongs to. */
export const PANELS_TREES: readonly ByteString[] = ['etc', 'dev', 'proc'].map((name) => `${OWNERS_TREE}/${name}`);

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
  /** A directory that is not given back, and nothing below it. */
  #closed: ByteString | undefined;

  constructor(rights: OwnerRights, target: Target, outcome: OutcomeBuilder) {
    this.#rights = rights;
    this.#target = target;
    this.#outcome = outcome;
  }

  *pass(selected: Iterable<SelectedEntry>): Generator<SelectedEntry> {
    for (const each of selected) {
      const { entry, isParent } = each;
      if (this.#closed !== undefined && isWithin(entry.path, this.#closed)) {
        if (isOwnersPath(entry.path) && !isParent) this.#refuse(entry, 'the directory that it was in is not given back');
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

  #refuse({ path }: Entry, message: string): void {
    this.#outcome.entries++;
    this.#outcome.fail({ code: 'owner_not_allowed', message, path });
  }

  #reportDropped(path: ByteString, dropped: readonly string[]): void {
    const message = `only an administrator can give back: ${dropped.join(', ')}`;
    this.#outcome.report({ code: 'attribute_refused', message, path });
  }

  #passDirectory({ entry, isParent }: SelectedEntry): boolean {
    const liveOwner = this.#ownerOfDirectory(entry.path);
    const own = isOwn(entry, this.#rights);
    if (own && (liveOwner === undefined || this.#rights.users.has(liveOwner))) return true;
    if (liveOwner !== undefined) {
      if (isParent) return false;
      if (own) this.#refuse(entry, 'the directory no longer belongs to the account and stays as it is; what is below it is restored');
      else this.#outcome.leaveAlone();
    } else if (!this.#rights.elsewhere) {
      this.#closed = entry.path;
      this.#refuse(entry, 'it belongs to somebody outside of the account');
    } else if (!isParent) {
      this.#outcome.leaveAlone();
    }
    return false;
  }

  #passOther(entry: Entry): boolean {
    if (isWhiteout(entry)) {
      // The kernel makes whiteouts as root: who may delete in the directory may have them.
      const directoryOwner = this.#ownerOfDirectory(parentPath(entry.path));
      if (directoryOwner === undefined || this.#rights.users.has(directoryOwner)) return true;
      this.#refuse(entry, 'it hides a file in a directory that does not belong to the account');
    } else if (entry.kind === 'character-device' || entry.kind === 'block-device') {
      this.#refuse(entry, 'account owners get no devices');
    } else if (isOwn(entry, this.#rights)) {
      return true;
    } else {
      this.#refuse(entry, 'it belongs to somebody outside of the account');
    }
    return false;
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
