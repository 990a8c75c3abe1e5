import type { ExcludeRules } from '../exclude/exclude-rules.ts';
import { Failure } from '../failure.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { FrameSupply, supplyOf } from './content/frame-supply.ts';
import { PackCache, type PackSource } from './content/pack-cache.ts';
import { DirectoryPasses, type PassContext } from './directories/directory-passes.ts';
import { KnownDirectories } from './directories/known-directories.ts';
import { extraneousPaths, removeExtraneous } from './directories/remove-extraneous.ts';
import { type Outcome, OutcomeBuilder } from './outcome.ts';
import { reportHidden } from './overlay/hidden-since.ts';
import { type OverlayLayers, UpperLayer } from './overlay/overlay-layers.ts';
import { mappedView } from './owner/mapped-view.ts';
import { OwnerGate } from './owner/owner-gate.ts';
import type { OnLoss, OwnerMap } from './owner/owner-map.ts';
import { permittedView } from './owner/owner-policy.ts';
import type { OwnerRights } from './owner/owner-rights.ts';
import { Excluded } from './plan/exclude-rules.ts';
import type { Extraneous } from './plan/extraneous.ts';
import { Foresight } from './plan/foresight.ts';
import { LostStretches } from './plan/lost-stretches.ts';
import { type ChainManifest, forThread, openView, type ViewOptions } from './plan/manifest-files.ts';
import { neededFrames } from './plan/needed-frames.ts';
import type { Plan } from './plan/plan.ts';
import { planRestore } from './plan/planner.ts';
import { checkPaths, type RowPlace, type SelectedEntry, type SnapshotView, selectEntries, viewWithout } from './plan/snapshot-view.ts';
import { lackOfRoom, lackOfSpace, type Room } from './plan/space.ts';
import { type Overwrite, problemOf, type Report, type WriteRules } from './rules.ts';
import { Staging } from './target/staging.ts';
import { Target, type TargetRoot } from './target/target.ts';
import { takesUnnamedFiles } from './target/unnamed-files.ts';
import type { WriteResult } from './threads/write-messages.ts';
import { type PreparedTask, WritePool } from './threads/write-pool.ts';
import { planTasks } from './threads/write-tasks.ts';
import { EntryWriter } from './write/entry-writer.ts';
import { forcedAttributes } from './write/forced-attributes.ts';
import { linkNames } from './write/link-pass.ts';
import { syncRestored } from './write/sync.ts';
import { SyncAhead } from './write/sync-ahead.ts';

/** Up to so much the main thread writes by itself: starting threads takes as long. */
const SMALL_ENTRIES = 3000;
const SMALL_BYTES = 32 * 1024 * 1024;

/** Everything that a restore needs to know. */
export interface RestoreOrder {
  /** The manifests of the chain, the oldest first. */
  readonly manifests: readonly ChainManifest[];
  /** The trees that the chain's records name: what a manifest has elsewhere is not restored. */
  readonly trees?: readonly ByteString[] | undefined;
  /** Hears why the copy of a manifest, by its place in the chain, was needed. */
  readonly onSpare?: ViewOptions['onSpare'];
  readonly packs: PackSource;
  readonly roots: readonly TargetRoot[];
  /** Where one of the roots is a mounted overlay: what it is made of. */
  readonly layers: OverlayLayers | undefined;
  /** Virtual paths; none: everything. */
  readonly paths: readonly ByteString[];
  /** Whether a path of the snapshot stands for none of the target, and is passed over; left out: none does. */
  readonly isPassedOver?: ((path: ByteString) => boolean) | undefined;
  /** Who gets what belonged to whom in the snapshot; left out: its ids are those of this server. */
  readonly owners?: OwnerMap | undefined;
  readonly overwrite: Overwrite;
  /** Whether what the snapshot does not have goes. */
  readonly deletion: boolean;
  /** For an account's owner: what that one may have; undefined for an administrator, who may have everything. */
  readonly owner?: OwnerRights | undefined;
  /** For an administrator, of an account: its users, as far as they are known. Undefined where there are none, as on a server's own paths. */
  readonly accountUsers?: ReadonlySet<number> | undefined;
  /** What the backup excludes, and deletion must leave alone. */
  readonly exclude: ExcludeRules;
  /** What it excluded when the snapshot was made, which deletion must leave alone, too; undefined where nobody knows. */
  readonly excludeThen?: ExcludeRules | undefined;
  readonly dryRun: boolean;
  /** Whether it begins although there is too little room by all that can be known. */
  readonly ignoreSpace?: boolean;
  /** What a quota leaves; undefined: there is none, or the system sees to it. */
  readonly room?: Room | undefined;
  readonly workers: number;
  /** Whether threads write; left out: when there is enough to do for them. */
  readonly threads?: boolean;
  readonly signal: AbortSignal;
  /** Hears how many entries and bytes are done, and of how many. */
  readonly progress: (done: { entries: number; entriesTotal: number; bytes: number; bytesTotal: number }) => void;
}

/**
 * Restores a point in time, or tells what would be done. What fails is in the outcome, entry by entry, and everything else is
 * restored. Throws `path_unknown` or `disk_full` before anything is changed, and `cancelled` with the directories finished.
 */
export async function restoreTree(order: RestoreOrder): Promise<Outcome> {
  const restore = new Restore(order);
  try {
    return await restore.perform();
  } finally {
    restore.close();
  }
}

class Restore {
  readonly #order: RestoreOrder;
  #rules: WriteRules;
  readonly #view: SnapshotView;
  readonly #target: Target;
  readonly #upper: UpperLayer | undefined;
  readonly #packs: PackCache;
  readonly #gate: OwnerGate | undefined;
  readonly #outcome = new OutcomeBuilder();
  readonly #lost = new LostStretches();
  readonly #syncAhead: SyncAhead;
  /** What a map of owners takes away, told once each. */
  readonly #losses = new Set<string>();

  constructor(order: RestoreOrder) {
    this.#order = order;
    this.#rules = {
      overwrite: order.overwrite,
      removeDirectories: order.deletion,
      exclude: new Excluded({ now: order.exclude, earlier: order.excludeThen }),
      owner: order.owner,
      accountUsers: order.accountUsers,
      owners: order.owners,
    };
    const recorded = openView(order.manifests, { trees: order.trees, onLost: this.#lost.add, onSpare: order.onSpare });
    const chosen = order.isPassedOver === undefined ? recorded : viewWithout(recorded, order.isPassedOver);
    this.#view = permittedView(mappedView(chosen, order.owners, this.#noteLoss), order.owner);
    this.#target = new Target(order.roots, order.owner);
    this.#gate = order.owner === undefined ? undefined : new OwnerGate(order.owner, this.#target, this.#outcome);
    this.#upper = order.layers === undefined ? undefined : new UpperLayer(order.layers);
    this.#packs = new PackCache(order.packs);
    this.#syncAhead = new SyncAhead(order.roots);
  }

  async perform(): Promise<Outcome> {
    checkPaths(this.#view, this.#order.paths, this.#lost);
    const [target, rules, view, outcome] = [this.#target, this.#rules, this.#view, this.#outcome];
    const { signal } = this.#order;
    const foresight = this.#order.dryRun ? new Foresight(target, rules, outcome, this.#upper) : undefined;
    const plan = await planRestore(this.#selected(), { target, packs: this.#packs, rules, view, foresight, signal });
    this.#outcome.begin(plan);
    for (const { problem, isEntry } of this.#lost.problems(this.#order.owner !== undefined)) this.#outcome.addLost(problem, isEntry);
    if (!this.#lost.isEmpty) this.#rules = { ...this.#rules, removeDirectories: false };
    const { ignoreSpace, roots, room } = this.#order;
    const lack =
      (ignoreSpace === true ? undefined : lackOfSpace(plan, roots, this.#target, this.#view)) ??
      (room === undefined ? undefined : lackOfRoom(plan, room, this.#target, this.#view));
    if (this.#order.dryRun) {
      await this.#foresee(plan);
      if (lack !== undefined) this.#outcome.problems.add(problemOf('', lack));
    } else {
      if (lack !== undefined) throw lack;
      await this.#write(plan);
    }
    return this.#outcome.finish();
  }

  readonly #noteLoss: OnLoss = ({ message, affects, path }) => {
    if (this.#losses.has(affects)) return;
    this.#losses.add(affects);
    this.#outcome.problems.add({ code: 'attribute_refused', message, path });
  };

  /** What the plan is made of. */
  #selected(): Iterable<SelectedEntry> {
    return this.#gate?.pass(this.#chosen()) ?? this.#chosen();
  }

  #chosen(): Iterable<SelectedEntry> {
    return selectEntries(this.#view, this.#order.paths);
  }

  /** By all chosen entries, those too that an owner does not get: they stay if they are there. */
  #extraneous(context: PassContext): Iterable<Extraneous> {
    const { deletion } = this.#order;
    return extraneousPaths(this.#chosen(), (directory) => this.#isJudged(directory), deletion, context);
  }

  #isJudged(directory: Entry): boolean {
    return this.#gate?.ownsDirectory(directory) ?? true;
  }

  /** A dry run. */
  async #foresee(plan: Plan): Promise<void> {
    const outcome = this.#outcome;
    const context = this.#context(this.#target, new KnownDirectories(0));
    removeExtraneous(this.#extraneous(context), context, true);
    reportHidden(this.#chosen(), (directory) => this.#isJudged(directory), context, true);
    const needs = await neededFrames(plan, this.#packs, this.#view, ({ path, size }, error) => {
      outcome.written--;
      outcome.bytesWritten -= size;
      outcome.fail(problemOf(path, error));
    });
    outcome.bytesFetched = needs.bytes;
    outcome.packs = needs.packs;
  }

  async #write(plan: Plan): Promise<void> {
    const stagings: Staging[] = [];
    try {
      const roots = this.#order.roots.map((root) => withStaging(root, stagings));
      this.#nameForced(roots);
      await this.#writeTo(roots, plan);
    } finally {
      for (const staging of stagings) staging.close(this.#reportLeft);
    }
    // Once, and not for each file: until here a power failure may cut what is new. What was there is gone only when its successor is on the disk.
    const { deletion, roots } = this.#order;
    const written = { plan, deletion, roots, target: this.#target, view: this.#view };
    syncRestored(written, (problem) => this.#outcome.problems.add(problem));
    if (this.#order.signal.aborted) throw new Failure('cancelled', 'the restore was stopped; what is written so far is complete');
  }

  /** Once for the whole, and not for each entry. */
  #nameForced(roots: readonly TargetRoot[]): void {
    const forced = [
      ...(roots.some((root) => root.forced?.owners === true) ? ['owner'] : []),
      ...(roots.some((root) => root.forced?.modes === true) ? ['mode'] : []),
    ];
    if (forced.length === 0) return;
    const message = `the target forces its own ${forced.join(' and ')}: no entry gets the one of the snapshot`;
    this.#outcome.problems.add({ code: 'attribute_refused', message, path: '' });
  }

  async #writeTo(roots: readonly TargetRoot[], plan: Plan): Promise<void> {
    this.#target.forget();
    const known = new KnownDirectories(plan.directories.length + plan.plainParents.size);
    const target = new Target(roots, this.#order.owner, known);
    const context = this.#context(target, known);
    const directories = new DirectoryPasses(plan, context);
    // Threads start while directories are made.
    const pool = (this.#order.threads ?? !isSmall(plan)) ? this.#startThreads(roots, known) : undefined;
    try {
      directories.make();
      await this.#writeEntries(plan, pool, target);
      const first = new Target(roots, this.#order.owner, known);
      try {
        await linkNames(plan, first, context, (place) => this.#writeAlone(place, target));
      } finally {
        first.close(this.#reportLeft);
      }
      removeExtraneous(this.#extraneous(context), context, false);
      reportHidden(this.#chosen(), (directory) => this.#isJudged(directory), context, false);
    } finally {
      // Also after a failure nothing may be written into a directory that is finished, nor through a descriptor that is closed.
      await pool?.stop();
      try {
        directories.finish();
      } finally {
        target.close(this.#reportLeft);
        await this.#syncAhead.end();
      }
    }
  }

  /** An entry of the snapshot it is not: nothing failed of what was asked for. */
  readonly #reportLeft: Report = (problem) => {
    const { problems } = this.#outcome;
    // Roots whose staging folders stand in one place find the same there.
    if (!problems.first.some(({ code, path }) => code === problem.code && path === problem.path)) problems.add(problem);
  };

  #startThreads(roots: readonly TargetRoot[], known: KnownDirectories): WritePool | undefined {
    const { manifests, workers, exclude: now, excludeThen: earlier } = this.#order;
    const rules = { ...this.#rules, exclude: { now, earlier } };
    return WritePool.start(
      workers,
      { roots, rules, manifests: manifests.map(forThread), known: known.data },
      this.#packs,
      this.#reportLeft,
    );
  }

  async #writeEntries(plan: Plan, pool: WritePool | undefined, target: Target): Promise<void> {
    const tasks = planTasks(plan, this.#packs, this.#order.overwrite);
    if (pool === undefined) await this.#writeHere(tasks, target);
    else await pool.perform(tasks, (result) => this.#settle(result), this.#order.signal);
    this.#outcome.bytesFetched = this.#packs.bytesFetched;
  }

  /** Writes one entry that could not be linked. */
  async #writeAlone(place: RowPlace, target: Target): Promise<void> {
    await this.#writeHere([{ isLong: true, prepare: async () => ({ type: 'anew', place }) }], target);
  }

  async #writeHere(tasks: Iterable<PreparedTask>, target: Target): Promise<void> {
    const supply = new FrameSupply((pack, frame) => void supplyOf(this.#packs, pack, frame).then((answer) => supply.deliver(answer)));
    const writer = new EntryWriter(target, this.#view, supply, this.#rules);
    for (const task of tasks) {
      if (this.#order.signal.aborted) return;
      this.#settle(await writer.perform(await task.prepare()));
    }
  }

  #settle(result: WriteResult): void {
    const outcome = this.#outcome;
    outcome.written += result.written;
    outcome.unchanged += result.unchanged;
    outcome.bytesWritten += result.bytes;
    outcome.clear(result.cleared);
    for (const problem of result.problems) outcome.report(problem);
    for (const place of result.lost) outcome.lose(place);
    for (const { place, ...inode } of result.linked) outcome.link(place, inode);
    this.#syncAhead.count(result.written, result.bytes);
    this.#tick();
  }

  #context(target: Target, known: KnownDirectories): PassContext {
    return {
      target,
      known,
      view: this.#view,
      rules: { ...this.#rules, onCleared: (entries) => this.#outcome.clear(entries) },
      outcome: this.#outcome,
      upper: this.#upper,
      isWhole: this.#lost.isEmpty,
      signal: this.#order.signal,
      tick: () => this.#tick(),
    };
  }

  #tick(): void {
    const { done, entries, bytesWritten, bytesTotal } = this.#outcome;
    this.#order.progress({ entries: done, entriesTotal: entries, bytes: bytesWritten, bytesTotal });
  }

  close(): void {
    this.#target.close();
    this.#upper?.close();
  }
}

/** The root as it is written to. Where mounts are crossed, each has a staging folder of its own, made when it is needed. */
function withStaging(root: TargetRoot, stagings: Staging[]): TargetRoot {
  if (root.crossMounts) return { ...root, isWritten: true };
  const staging = Staging.open(root.descriptor, root.stagingIn);
  stagings.push(staging);
  const { descriptor } = staging;
  return {
    ...root,
    isWritten: true,
    staging: descriptor,
    forced: forcedAttributes(descriptor),
    unnamedFiles: takesUnnamedFiles(descriptor),
  };
}

/** Whether everything is written before threads would have started. */
function isSmall({ entries, bytes }: Plan): boolean {
  return entries <= SMALL_ENTRIES && bytes <= SMALL_BYTES;
}
