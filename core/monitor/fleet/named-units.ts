import type { RunRecord, RunUnit } from '../../repository/run-record.ts';

/** What the runs of a server say of one of its units. */
export interface NamedUnit {
  readonly name: string;
  /** Its outcome in the newest run that it was in. */
  readonly newest: RunUnit;
  /** That in the newest run that left a snapshot of it; undefined while none is known. */
  readonly good: RunUnit | undefined;
}

/**
 * The units that a server has to back up, by the records of its runs, which are added from the newest back. Those of the newest whole run and of the
 * runs since count: a unit that is in none of them is not expected any more.
 */
export class NamedUnits {
  readonly #units = new Map<string, NamedUnit>();
  #whole: RunRecord | undefined;
  #newest: RunRecord | undefined;
  #isUntold = false;

  add(run: RunRecord): void {
    this.#newest ??= run;
    for (const unit of run.units) {
      const known = this.#units.get(unit.name);
      if (known === undefined && this.#whole !== undefined) continue;
      const good = known?.good ?? (unit.snapshot === null ? undefined : unit);
      this.#units.set(unit.name, { name: unit.name, newest: known?.newest ?? unit, good });
    }
    if (run.whole === true) this.#whole ??= run;
    else this.#isUntold ||= run.units.some(({ snapshot, size }) => snapshot !== null && size === undefined);
  }

  /** The newest whole run; of a server whose program does not tell yet which those are, the newest. */
  get last(): RunRecord | undefined {
    return this.#whole ?? this.#newest;
  }

  get hasWhole(): boolean {
    return this.#whole !== undefined;
  }

  /** Whether the server's program does not tell yet which runs are whole. */
  get isUntold(): boolean {
    return this.#isUntold;
  }

  /** Whether of each unit a backup is known. */
  get areAllGood(): boolean {
    return this.all.every(({ good }) => good !== undefined);
  }

  get all(): readonly NamedUnit[] {
    return [...this.#units.values()];
  }
}
