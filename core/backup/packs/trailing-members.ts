import { tarHeader } from '../../archive/tar-header.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { parentPath } from '../../manifest/paths.ts';
import { leadsUpwards } from '../../scan/pack/trailing.ts';
import { type SpooledFrame, TrailingSpool } from './trailing-spool.ts';

/**
 * The members that end a snapshot's packs: links, then directories, children before their parents. So no directory's time or
 * access list is changed by what is put into it, whichever tool extracts.
 */
export class TrailingMembers {
  readonly #links: TrailingSpool;
  readonly #directories: TrailingSpool;
  /** The directories around the entry that came last, as far as they are part of this snapshot. */
  readonly #around: { readonly entry: Entry; isAnnounced: boolean }[] = [];

  constructor(spoolDirectory: string) {
    this.#links = new TrailingSpool(spoolDirectory, 'as added');
    this.#directories = new TrailingSpool(spoolDirectory, 'reversed');
  }

  addDirectory(entry: Entry): void {
    this.#leaveFor(entry.path);
    this.#around.push({ entry, isAnnounced: false });
    this.#directories.add(tarHeader(entry));
  }

  addSymlink(entry: Entry): void {
    this.#announceFor(entry);
    this.#links.add(tarHeader(entry));
  }

  /** A further name of what has a member under `linkTo` already. */
  addHardLink(entry: Entry, linkTo: ByteString): void {
    this.#announceFor(entry);
    this.#links.add(tarHeader(entry, { linkTo }));
  }

  *frames(): Generator<SpooledFrame> {
    yield* this.#links.frames();
    yield* this.#directories.frames();
  }

  close(): void {
    this.#links.close();
    this.#directories.close();
  }

  #leaveFor(path: ByteString): void {
    while (this.#around.length > 0 && !isWithin(path, (this.#around.at(-1) as { entry: Entry }).entry.path)) this.#around.pop();
  }

  #announceFor(entry: Entry): void {
    this.#leaveFor(entry.path);
    if (leadsUpwards(entry.linkTarget ?? '')) this.#announceParent(entry.path);
  }

  /**
   * GNU tar makes a link that leads upwards at the very end, and sets its directory's time again after that only when the
   * directory's member came before the link's: so here it comes twice.
   */
  #announceParent(path: ByteString): void {
    const parent = this.#around.at(-1);
    if (parent === undefined || parent.isAnnounced || parent.entry.path !== parentPath(path)) return;
    parent.isAnnounced = true;
    this.#links.add(tarHeader(parent.entry));
  }
}
