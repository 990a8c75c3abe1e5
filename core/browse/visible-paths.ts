import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { parentPath } from '../manifest/paths.ts';
import { OWNERS_TREE } from '../restore/owner/owner-gate.ts';
import type { Access, OwnerSight } from '../restore/owner/owner-sight.ts';

/** So many folders are remembered. */
const KEPT_FOLDERS = 10_000;

/**
 * Which paths an owner is shown: the entry, and every folder above has to be open. `entryOf` gives what there is at a path; nothing, also for
 * a folder that is not backed up itself, counts as closed.
 */
export class VisiblePaths {
  readonly #sight: OwnerSight;
  readonly #entryOf: (path: ByteString) => Access | undefined;
  /** Of the folders that were asked for last, whether they and all above them are open. */
  readonly #open = new Map<ByteString, boolean>();

  constructor(sight: OwnerSight, entryOf: (path: ByteString) => Access | undefined) {
    this.#sight = sight;
    this.#entryOf = entryOf;
  }

  shows(path: ByteString, entry: Access): boolean {
    return isWithin(path, OWNERS_TREE) && this.#isOpenAbove(path) && this.#sight.opens(entry);
  }

  #isOpenAbove(path: ByteString): boolean {
    const folder = parentPath(path);
    if (folder === '') return true;
    const known = this.#open.get(folder);
    if (known !== undefined) return known;
    const entry = this.#entryOf(folder);
    const isOpen = this.#isOpenAbove(folder) && entry?.kind === 'directory' && this.#sight.opens(entry);
    if (this.#open.size >= KEPT_FOLDERS) this.#open.clear();
    this.#open.set(folder, isOpen);
    return isOpen;
  }
}
