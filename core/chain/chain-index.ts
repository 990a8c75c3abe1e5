import { Failure } from '../failure.ts';
import type { ChainSnapshot, SnapshotLink } from './snapshot.ts';

/** The snapshots that one restore point needs. */
export interface Chain<T extends ChainSnapshot = ChainSnapshot> {
  readonly full: T;
  readonly differential?: T;
  /** Oldest first. */
  readonly incrementals: readonly T[];
}

/** The members of a chain in the order in which their manifests are merged: the full first. */
export function chainMembers<T extends ChainSnapshot>(chain: Chain<T>): T[] {
  const differentials = chain.differential === undefined ? [] : [chain.differential];
  return [chain.full, ...differentials, ...chain.incrementals];
}

function broken(target: string, culprit: string, problem: string): Failure {
  return new Failure('chain_broken', `snapshot ${target} cannot be put together: ${problem}`, {
    affected: [target, culprit],
    advice: 'Choose a snapshot that does not need the missing one. The next backup is a full and begins a new chain.',
  });
}

/**
 * Chains among the snapshots of one unit. Links are followed by id and digest, never by time: a clock that jumped, forks
 * and several fulls beside each other cannot put snapshots of two chains together.
 */
export class ChainIndex<T extends ChainSnapshot> {
  readonly #byId: ReadonlyMap<string, T>;
  readonly #complete = new Map<string, boolean>();

  constructor(snapshots: Iterable<T>) {
    this.#byId = new Map(Array.from(snapshots, (snapshot) => [snapshot.id, snapshot]));
  }

  /**
   * The chain of the snapshot `target`: its full, the newest differential on its way back to that full, and the
   * incrementals after that. Throws `snapshot_unknown`, or `chain_broken` with `affected` naming the target and the
   * snapshot that is missing, unusable or not the one that was linked.
   */
  select(target: string): Chain<T> {
    if (!this.#byId.has(target)) {
      throw new Failure('snapshot_unknown', `there is no snapshot ${target}`, { affected: [target] });
    }
    const members = [...this.#walk(target)].reverse();
    const [full, second] = members as [T, T | undefined];
    if (second?.level === 'differential') return { full, differential: second, incrementals: members.slice(2) };
    return { full, incrementals: members.slice(1) };
  }

  /** Whether every snapshot that the restore point `target` needs is there and usable. All answers together take one look at each link. */
  isComplete(target: string): boolean {
    const path: string[] = [];
    let at = this.#byId.get(target);
    let answer: boolean | undefined;
    while (at !== undefined && answer === undefined) {
      answer = at.level === 'full' ? at.usable !== false : this.#complete.get(at.id);
      // Until the answer is known, whoever comes here again has gone in a circle.
      if (answer === undefined) this.#complete.set(at.id, false);
      path.push(at.id);
      at = this.below(at.id);
    }
    for (const id of path) this.#complete.set(id, answer ?? false);
    return answer ?? false;
  }

  /** What the manifest of the snapshot `id` lies on, undefined for a full and where the chain is broken. */
  below(id: string): T | undefined {
    const member = this.#byId.get(id);
    if (member === undefined || member.usable === false || member.level === 'full') return undefined;
    try {
      const next = this.#next(member, id);
      return next.usable === false ? undefined : next;
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }

  *#walk(target: string): Generator<T> {
    let member = this.#byId.get(target);
    if (member === undefined) return;
    const seen = new Set<string>();
    while (true) {
      if (member.usable === false) throw broken(target, member.id, `snapshot ${member.id} is damaged`);
      seen.add(member.id);
      yield member;
      if (member.level === 'full') return;
      member = this.#next(member, target);
      if (seen.has(member.id)) throw broken(target, member.id, `snapshot ${member.id} is linked in a circle`);
    }
  }

  /** What `member`, which is no full, lies on; `target` is whose chain is looked for. Throws `chain_broken`. */
  #next(member: T, target: string): T {
    const next = this.#follow(member.level === 'differential' ? member.base : member.parent, member, target);
    if (member.level === 'differential' && next.level !== 'full') {
      throw broken(target, next.id, `snapshot ${next.id}, the base of ${member.id}, is not a full`);
    }
    // Each has the base of the one below it, so all of a chain have the same.
    const nextBase: SnapshotLink | null = next.level === 'full' ? next : next.base;
    if (nextBase?.id !== member.base?.id || nextBase?.sha256 !== member.base?.sha256) {
      throw broken(target, next.id, `snapshot ${next.id} belongs to another chain`);
    }
    return next;
  }

  #follow(link: SnapshotLink | null, from: T, target: string): T {
    if (link === null) throw broken(target, from.id, `snapshot ${from.id} does not say what it builds on`);
    const found = this.#byId.get(link.id);
    if (found === undefined) throw broken(target, link.id, `snapshot ${link.id}, which ${from.id} builds on, is missing or cannot be read`);
    if (found.sha256 !== link.sha256) {
      throw broken(target, link.id, `snapshot ${link.id} is not the one that ${from.id} was built on`);
    }
    return found;
  }
}
