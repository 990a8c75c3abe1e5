import { Yielder } from '../../context/yield.ts';
import { Failure } from '../../failure.ts';
import type { ByteString, Entry, Extent } from '../../manifest/entry.ts';
import { EntryFlags } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { parentPath } from '../../manifest/paths.ts';
import type { PackCache } from '../content/pack-cache.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import { isLackOfContent, type Problem, problemOf, type WriteRules } from '../rules.ts';
import { checkPath } from '../target/names.ts';
import { PROTECTING_FLAGS } from '../target/protection.ts';
import type { Target } from '../target/target.ts';
import { hasForeignNames } from './foreign-names.ts';
import type { Foresight } from './foresight.ts';
import { type LinkGroup, LinkGroups } from './link-groups.ts';
import { DirectoryColumn, DirectoryState, FileColumn, type LostName, type PackPlan, type Plan } from './plan.ts';
import type { RowPlace, SelectedEntry, SnapshotView } from './snapshot-view.ts';
import { WordTable } from './word-table.ts';

/** Where the planner looks things up. */
export interface PlanContext {
  readonly target: Target;
  readonly packs: PackCache;
  readonly rules: WriteRules;
  readonly view: SnapshotView;
  /** Of a dry run: told of every entry, and what would not be written is not in the plan. */
  readonly foresight: Foresight | undefined;
  readonly signal: AbortSignal;
}

/** Throws `content_missing` for a file whose content the backup does not have. */
function checkContent({ kind, size, flags, content }: Entry): void {
  if (kind !== 'file' || size === 0) return;
  const isWholeHole = content?.sparse?.length === 0;
  if ((flags & EntryFlags.contentMissing) === 0 && (isWholeHole || (content?.extents.length ?? 0) > 0)) return;
  throw new Failure('content_missing', 'the backup could not read this file');
}

function* pathsOf(places: Iterable<RowPlace>, view: SnapshotView): Generator<ByteString> {
  for (const place of places) yield view.entryAt(place).path;
}

/**
 * Plans the restore of `selected`, which come in path order. Reads the target and the packs' seek tables, writes nothing. Throws `cancelled` after the
 * signal.
 */
export async function planRestore(selected: Iterable<SelectedEntry>, context: PlanContext): Promise<Plan> {
  const builder = new PlanBuilder(context);
  const yielder = new Yielder(context);
  for (const each of selected) {
    const opening = builder.add(each);
    if (opening !== undefined) await opening;
    if (yielder.isDue()) await yielder.take();
  }
  return builder.finish();
}

class PlanBuilder {
  readonly #context: PlanContext;
  readonly #plainParents = new Set<ByteString>();
  readonly #directories = new WordTable(DirectoryColumn.width);
  readonly #singles = new WordTable(3);
  readonly #packs = new Map<string, PackPlan>();
  readonly #large = new WordTable(3);
  readonly #anew = new WordTable(3);
  readonly #links = new WordTable(6);
  readonly #lateFlags = new WordTable(3);
  readonly #problems: Problem[] = [];
  readonly #lost: LostName[] = [];
  readonly #groups = new LinkGroups();
  /** Files of several names about which all names decide. */
  readonly #deferred: LinkGroup[] = [];
  readonly #above: ByteString[] = [];
  /** The rows of directories above chosen paths. */
  readonly #parents = new Map<ByteString, number>();
  #entries = 0;
  #skipped = 0;
  #bytes = 0;

  constructor(context: PlanContext) {
    this.#context = context;
  }

  /** Adds an entry; a promise when a pack has to be opened first. */
  add(selected: SelectedEntry): Promise<void> | undefined {
    const { entry } = selected;
    try {
      checkPath(entry.path);
      this.#noteParent(entry);
      if (entry.kind === 'directory') {
        const state = selected.isParent ? DirectoryState.parent : DirectoryState.missing;
        this.#directories.push(selected.layer, selected.block, selected.row, state, 0, 0, 0, 0);
        if (selected.isParent) this.#parents.set(entry.path, this.#directories.length - 1);
        else this.#entries++;
        if (!selected.isParent) this.#fillParent(entry);
        this.#context.foresight?.directory(selected);
        return undefined;
      }
      if (selected.isParent) throw new Failure('target_in_the_way', 'the snapshot has no directory here');
      this.#entries++;
      return this.#addOther(selected);
    } catch (error) {
      this.#fail(entry, selected, error);
      return undefined;
    }
  }

  /** Notes that something is put into a directory that is else left alone. */
  #fillParent({ path }: Entry): void {
    if (this.#parents.size === 0) return;
    const row = this.#parents.get(parentPath(path));
    if (row !== undefined) this.#directories.set(row, DirectoryColumn.state, DirectoryState.parent | DirectoryState.filled);
  }

  #fail(entry: Entry, { layer, block, row }: RowPlace, error: unknown): void {
    this.#problems.push(problemOf(entry.path, error));
    if (entry.linkCount > 1) this.#lost.push({ layer, block, row, lacksContent: isLackOfContent(error) });
  }

  /** In path order the directories above an entry are a stack; one that is missing there is missing in the snapshot. */
  #noteParent(entry: Entry): void {
    while (this.#above.length > 0 && !isWithin(entry.path, this.#above.at(-1) as ByteString)) this.#above.pop();
    const parent = parentPath(entry.path);
    if (parent !== '' && parent !== this.#above.at(-1)) this.#plainParents.add(parent);
    if (entry.kind === 'directory') this.#above.push(entry.path);
  }

  #addOther(selected: SelectedEntry): Promise<void> | undefined {
    const { entry } = selected;
    if (this.#context.rules.overwrite === 'never' && this.#context.target.has(entry.path)) {
      this.#skipped++;
      return undefined;
    }
    this.#fillParent(entry);
    if (entry.linkCount > 1) {
      const group = this.#groups.meet(entry, this.#context.target.rootIndex(entry.path), selected);
      if (this.#isDeferring) {
        if (group.later.length === 0) this.#deferred.push(group);
        return undefined;
      }
      if (group.later.length > 0) {
        this.#link(group.first, selected);
        return undefined;
      }
      this.#noteLateFlags(entry, selected);
    }
    // Decided before anything is changed: a name that goes meanwhile must not make a difference.
    const { rules, target } = this.#context;
    if (rules.overwrite === 'changed' && entry.linkCount === 1 && hasForeignNames(target, entry, [])) return this.#addAnew(entry, selected);
    return this.#addWritten(entry, selected);
  }

  #addAnew(entry: Entry, { layer, block, row }: RowPlace): undefined {
    checkContent(entry);
    if (!this.#isWritten(entry, true)) return undefined;
    this.#bytes += entry.kind === 'file' ? entry.size : 0;
    this.#anew.push(layer, block, row);
    return undefined;
  }

  /** Whether what becomes of a file of several names depends on all of them. */
  get #isDeferring(): boolean {
    return this.#context.rules.overwrite === 'changed' || this.#context.foresight !== undefined;
  }

  #link(first: RowPlace, later: RowPlace): void {
    this.#links.push(first.layer, first.block, first.row, later.layer, later.block, later.row);
  }

  #noteLateFlags(entry: Entry, { layer, block, row }: RowPlace): void {
    if ((entry.inodeFlags & PROTECTING_FLAGS) !== 0) this.#lateFlags.push(layer, block, row);
  }

  #addWritten(entry: Entry, place: RowPlace): Promise<void> | undefined {
    if (entry.kind === 'file' && entry.size > 0) return this.#addContent(entry, place);
    if (this.#isWritten(entry)) this.#singles.push(place.layer, place.block, place.row);
    return undefined;
  }

  /** In a dry run: whether the entry would be written. */
  #isWritten(entry: Entry, anew = false): boolean {
    const { foresight } = this.#context;
    return foresight === undefined || foresight.other(entry, anew) === 'written';
  }

  /** Decides about a file of which all names are known now. */
  async #settle({ first, later }: LinkGroup): Promise<void> {
    const { view, target, rules, foresight } = this.#context;
    const entry = view.entryAt(first);
    const anew = rules.overwrite === 'changed' && hasForeignNames(target, entry, pathsOf(later, view));
    if (foresight !== undefined) {
      await this.#foresee(first, later, anew);
      return;
    }
    for (const each of later) this.#link(first, each);
    this.#noteLateFlags(entry, first);
    try {
      if (anew) this.#addAnew(entry, first);
      else await this.#addWritten(entry, first);
    } catch (error) {
      this.#fail(entry, first, error);
    }
  }

  /** The same for a dry run: the first name that can be written has the content, the others are linked to it. */
  async #foresee(first: RowPlace, later: readonly RowPlace[], anew: boolean): Promise<void> {
    const { view, target } = this.#context;
    const foresight = this.#context.foresight as Foresight;
    let leader: { readonly path: ByteString; readonly stays: boolean } | undefined;
    for (const place of [first, ...later]) {
      const entry = view.entryAt(place);
      try {
        checkContent(entry);
        if (leader !== undefined && !(isWhiteout(entry) && target.isOverlay(entry.path))) {
          foresight.later(entry, leader.path, leader.stays);
          continue;
        }
        const foreseen = foresight.other(entry, anew || (leader === undefined && place !== first));
        if (foreseen !== 'failed') leader = { path: entry.path, stays: foreseen === 'unchanged' };
        if (foreseen === 'written') this.#anew.push(place.layer, place.block, place.row);
      } catch (error) {
        this.#fail(entry, place, error);
      }
    }
  }

  #addContent(entry: Entry, place: RowPlace): Promise<void> | undefined {
    checkContent(entry);
    const extents = entry.content?.extents ?? [];
    const first = extents[0];
    if (first !== undefined && extents.length === 1) return this.#addSingleExtent(entry, first, place);
    if (!this.#isWritten(entry)) return undefined;
    this.#bytes += entry.size;
    this.#large.push(place.layer, place.block, place.row);
    return undefined;
  }

  async #addSingleExtent(entry: Entry, extent: Extent, place: RowPlace): Promise<void> {
    try {
      const frame = (await this.#context.packs.open(extent.pack)).frame(extent.frame);
      if (!this.#isWritten(entry)) return;
      this.#bytes += entry.size;
      if (extent.offset + extent.length > frame.decompressedLength) this.#large.push(place.layer, place.block, place.row);
      else this.#packPlan(extent.pack).files.push(extent.frame, place.layer, place.block, place.row);
    } catch (error) {
      this.#fail(entry, place, error);
    }
  }

  #packPlan(pack: string): PackPlan {
    let plan = this.#packs.get(pack);
    if (plan === undefined) {
      plan = { pack, files: new WordTable(FileColumn.width) };
      this.#packs.set(pack, plan);
    }
    return plan;
  }

  async finish(): Promise<Plan> {
    for (const group of this.#deferred) await this.#settle(group);
    return {
      plainParents: this.#plainParents,
      directories: this.#directories,
      singles: this.#singles,
      packs: [...this.#packs.values()],
      large: this.#large,
      anew: this.#anew,
      links: this.#links,
      lateFlags: this.#lateFlags,
      problems: this.#problems,
      lost: this.#lost,
      entries: this.#entries,
      skipped: this.#skipped,
      bytes: this.#bytes,
    };
  }
}
