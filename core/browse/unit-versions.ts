import { ChainIndex, chainMembers } from '../chain/chain-index.ts';
import { compareAge } from '../chain/snapshot.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Entry } from '../manifest/entry.ts';
import { mergePathStates, type PathState } from '../manifest/merge/path-states.ts';
import type { RecordedSnapshot } from '../timeline/chain-snapshots.ts';
import { changesBetween } from './changes.ts';

/** Snapshots in a row, by age, that have a path in one version; `entry` is undefined where they do not have it. */
export interface Stretch {
  readonly first: RecordedSnapshot;
  readonly last: RecordedSnapshot;
  readonly snapshots: number;
  readonly entry: Entry | undefined;
}

/** How the snapshots of a unit build on each other: what each manifest says makes what each snapshot has. */
export class UnitVersions {
  /** Those that can be put together, oldest first. */
  readonly snapshots: readonly RecordedSnapshot[];
  /** Why others are left out: their chains are broken, or what they need cannot be read. */
  readonly broken: readonly Failure[];
  /** Of each snapshot the one on which its manifest lies, -1 for a full; and an order in which that one comes before. */
  readonly #below: readonly number[];
  readonly #order: readonly number[];

  private constructor(
    snapshots: readonly RecordedSnapshot[],
    broken: readonly Failure[],
    below: readonly number[],
    order: readonly number[],
  ) {
    this.snapshots = snapshots;
    this.broken = broken;
    this.#below = below;
    this.#order = order;
  }

  /**
   * Snapshots whose chain is broken, or has one of `unread` in it, are left out, and those that are newer than `newest`, an id, which must be
   * there.
   */
  static of(all: readonly RecordedSnapshot[], newest: string | undefined, unread: ReadonlyMap<string, Failure> = new Map()): UnitVersions {
    const sorted = [...all].sort(compareAge);
    const end = newest === undefined ? sorted.length : sorted.findIndex(({ id }) => id === newest) + 1;
    if (end === 0)
      throw new Failure('snapshot_unknown', `there is no snapshot ${newest} any more`, { advice: 'Begin with the first row.' });
    const seen = new Set(sorted.slice(0, end));
    const index = new ChainIndex(all);
    const chains: RecordedSnapshot[][] = [];
    const broken: Failure[] = [];
    for (const { id } of seen) {
      try {
        const chain = chainMembers(index.select(id));
        const hole = chain.flatMap((member) => unread.get(member.id) ?? []).at(-1);
        if (hole !== undefined) throw leftOut(id, hole);
        // A clock that jumped can date what a snapshot builds on after it.
        if (chain.every((member) => seen.has(member))) chains.push(chain);
      } catch (error) {
        broken.push(asFailure(error));
      }
    }
    const snapshots = chains.map((chain) => chain.at(-1) as RecordedSnapshot);
    const places = new Map(snapshots.map(({ id }, place) => [id, place]));
    const below = chains.map((chain) => {
      const before = chain.at(-2);
      if (before === undefined) return -1;
      const place = places.get(before.id);
      if (place === undefined) throw new Failure('internal', `${before.id} has a snapshot on top and no chain of its own`);
      return place;
    });
    const order = chains.map((_, place) => place).sort((a, b) => (chains[a]?.length ?? 0) - (chains[b]?.length ?? 0));
    return new UnitVersions(snapshots, broken, below, order);
  }

  /** The stretches of one path, newest first, from what the manifest of each snapshot says about it. */
  stretches(pathStateOf: (snapshot: number) => PathState): Stretch[] {
    const states: PathState[] = [];
    for (const place of this.#order) {
      const below = this.#below[place] as number;
      states[place] = mergePathStates(below < 0 ? 'nothing' : (states[below] as PathState), pathStateOf(place));
    }
    const stretches: Stretch[] = [];
    for (const [place, snapshot] of this.snapshots.entries()) {
      const pathState = states[place] as PathState;
      const entry = typeof pathState === 'object' ? pathState : undefined;
      const previous = stretches.at(-1);
      if (previous !== undefined && isSameVersion(previous.entry, entry)) {
        stretches[stretches.length - 1] = { ...previous, last: snapshot, snapshots: previous.snapshots + 1 };
      } else if (previous !== undefined || entry !== undefined) {
        stretches.push({ first: snapshot, last: snapshot, snapshots: 1, entry });
      }
    }
    return stretches.reverse();
  }
}

function leftOut(id: string, { code, message, affected, advice, retry }: Failure): Failure {
  return new Failure(code, `${id} is left out: ${message}`, {
    affected: [id, ...affected],
    retry,
    ...(advice === undefined ? {} : { advice }),
  });
}

function isSameVersion(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && changesBetween(a, b).length === 0;
}

/** What results say of a stretch. */
export function stretchResult({ first, last, snapshots }: Stretch) {
  return { first: first.id, firstTaken: first.time, last: last.id, lastTaken: last.time, snapshots };
}
