import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isTooMany, unseenSince } from '../chain/deletion-guard.ts';
import { takenAt } from '../chain/snapshot.ts';
import { replaceFile } from '../config/replace-file.ts';
import type { RetentionRules, UnitRetention } from './unit-retention.ts';

const FILE = 'refused-deletions.json';

/** What a prune would not delete of a unit without a person's word. */
export interface Refusal {
  /** RFC 3339 UTC. */
  readonly since: string;
  readonly reason: string;
  /** It does not end by itself. */
  readonly lasts: boolean;
}

/** What there was when the deletion was first refused. */
interface Refused {
  readonly since: string;
  readonly snapshots: number;
  /** The ids of those that were to go. */
  readonly deletions: readonly string[];
}

/**
 * Which deletions were refused, kept in the state of the repository, so that what has been refused stays so until a person says
 * yes. Where it is lost, `decideRetention` finds nearly the same in the repository itself.
 */
export class Refusals {
  readonly #file: string;
  readonly #units: Map<string, Refused>;

  /** `stateFolder` is that of the repository. */
  constructor(stateFolder: string) {
    this.#file = join(stateFolder, FILE);
    this.#units = readRefused(this.#file);
  }

  /** Why the deletion that retention wants of a unit has to be confirmed; undefined when it has not. */
  refusalOf(retention: UnitRetention, rules: RetentionRules): Refusal | undefined {
    const { doomed, snapshots, decision } = retention;
    if (doomed.length === 0) return undefined;
    const now = rules.now.epochMilliseconds;
    const since = this.#known(retention, rules) ?? decision.refusedSince;
    if (since !== undefined) {
      const count = `${doomed.length} of ${snapshots.length} snapshots would go at once, more than the safety limit`;
      return { since, reason: `${count} (refused since ${since})`, lasts: true };
    }
    const seen = [
      ...rules.runs.times,
      ...snapshots.flatMap((snapshot) => [takenAt(snapshot), Date.parse(snapshot.unchangedUntil ?? snapshot.time)]),
    ];
    const last = unseenSince(seen, now);
    if (last === undefined) return undefined;
    const gap = `the clock says ${rules.now}, and before that the last backup was at ${new Date(last).toISOString()}`;
    return {
      since: rules.now.toString(),
      reason: `${gap}: with such a clock nothing counts as old until there have been backups for a day`,
      lasts: false,
    };
  }

  #known({ unit, doomed }: UnitRetention, { policy }: RetentionRules): string | undefined {
    const refused = this.#units.get(unit);
    if (refused === undefined) return undefined;
    const then = new Set(refused.deletions);
    const deletions = doomed.filter(({ id }) => then.has(id)).length;
    return isTooMany({ snapshots: refused.snapshots, deletions }, policy.guardShare) ? refused.since : undefined;
  }

  /** Remembers what was refused; `refusal` is undefined when nothing was, or when it was confirmed. */
  remember({ unit, doomed, snapshots }: UnitRetention, refusal: Refusal | undefined): void {
    if (refusal?.lasts !== true) this.#units.delete(unit);
    else if (this.#units.get(unit)?.since !== refusal.since) {
      this.#units.set(unit, { since: refusal.since, snapshots: snapshots.length, deletions: doomed.map(({ id }) => id) });
    }
  }

  /** Where the state cannot be written, the repository has to do. */
  save(): void {
    try {
      if (this.#units.size === 0) rmSync(this.#file, { force: true });
      else replaceFile(this.#file, Buffer.from(`${JSON.stringify(Object.fromEntries(this.#units), null, 2)}\n`));
    } catch {}
  }
}

function readRefused(file: string): Map<string, Refused> {
  try {
    const units = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Partial<Refused>>);
    return new Map(units.filter((entry): entry is [string, Refused] => isRefused(entry[1])));
  } catch {
    return new Map();
  }
}

function isRefused({ since, snapshots, deletions }: Partial<Refused>): boolean {
  return !Number.isNaN(Date.parse(since ?? '')) && Number.isInteger(snapshots) && Array.isArray(deletions);
}
