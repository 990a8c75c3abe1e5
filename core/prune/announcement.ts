import { asFailure } from '../failure.ts';
import type { DeletionRecord, UnitSnapshot } from '../repository/history/deletion-record.ts';
import { deletionOf, type FoundDeletions, readDeletions, writeDeletion } from '../repository/history/deletions.ts';
import { missingSnapshots, standingOf } from '../repository/history/missing.ts';
import { keepSeenSnapshot, readSeenRuns, readSeenSnapshot } from '../repository/history/seen.ts';
import { keepUnsaid, readUnsaid } from '../repository/history/unsaid-deletion.ts';
import { timeOfId } from '../repository/ids.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import { type Losses, NO_LOSSES } from './losses.ts';
import type { UnitRetention } from './unit-retention.ts';

/** What a prune is about to delete. */
export interface Going {
  readonly units: readonly UnitRetention[];
  /** The ids of records of runs. */
  readonly runs: readonly string[];
  /** What is missing and is accepted now. */
  readonly losses: Losses;
}

/** What of a server's history goes, to be said in its repository before it does: else it would be missed. */
export class Announcement {
  readonly #repository: Repository;
  /** Undefined when nothing goes that is missed. */
  readonly #record: DeletionRecord | undefined;
  readonly #before: readonly string[];
  #isSaid: boolean;
  #attempts = 0;

  private constructor(repository: Repository, record: DeletionRecord | undefined, before: readonly string[]) {
    this.#repository = repository;
    this.#record = record;
    this.#before = before;
    this.#isSaid = record === undefined;
  }

  /** Of what goes; missing snapshots that were taken before `since` (milliseconds since 1970) are missed no more. */
  static async of(going: Going, runs: RunIndex, repository: Repository, since: number): Promise<Announcement> {
    const { units, losses } = going;
    const isSaid = readUnsaid(repository.stateFolder, repository.server) === undefined;
    const isNothing = isSaid && going.runs.length === 0 && units.every(({ doomed }) => doomed.length === 0) && losses === NO_LOSSES;
    if (isNothing) return new Announcement(repository, undefined, []);
    const before = await readDeletions(repository, (error) => repository.report(error));
    const sequences = going.runs.flatMap((id) => runs.log.get(id)?.sequence ?? []);
    const greatest = Math.max(runs.greatest, readSeenRuns(repository.stateFolder, repository.server).head?.sequence ?? 0);
    const staying = await Promise.all(units.map((unit) => stayingOf(unit, { going, runs, repository, before, since })));
    const standing = [
      ...staying.map((each) => ({ ...each, sequence: greatest })),
      ...carried(before, units, losses, greatest).map((each) => ({
        ...each,
        snapshots: each.snapshots.filter((id) => isSince(id, since)),
      })),
    ];
    const record = deletionOf(repository, {
      runs: [...before.runs, ...(losses === NO_LOSSES ? upTo(sequences, runs) : allBut(sequences, runs, greatest))],
      snapshots: [...before.snapshots.filter(({ unit, id }) => runs.named.get(unit)?.id === id), ...newestGoing(going, runs, repository)],
      // What nobody names, and of which nothing stays, says nothing.
      standing: standing.filter(({ unit, snapshots }) => snapshots.length > 0 || runs.names(unit)),
      accepted: [...before.accepted.filter(({ time }) => Date.parse(time) >= since), ...losses.accepted],
    });
    return new Announcement(repository, record, before.ids);
  }

  /** Whether it stands in the repository. */
  get isSaid(): boolean {
    return this.#isSaid;
  }

  /**
   * Says it; where the repository is full, in the state of this machine, which knows then what it deletes itself, and finishes this when there is room. On a
   * disk that is full throughout it is tried again as things are deleted.
   */
  async say(): Promise<void> {
    if (this.#record === undefined || this.#isSaid) return;
    const { stateFolder } = this.#repository;
    try {
      await writeDeletion(this.#repository, this.#record, this.#before);
      this.#isSaid = true;
    } catch (error) {
      if (this.#attempts++ > 0) return;
      const { code, message } = asFailure(error);
      const text = `what is deleted cannot be said in the repository yet; it is noted here until there is room: ${message}`;
      this.#repository.notify({ level: 'warning', code, message: text, affected: [this.#repository.server] });
      try {
        keepUnsaid(stateFolder, this.#record);
      } catch {
        // As things are deleted there is room.
      }
    }
  }

  /** The same while things are deleted: at the first few, then ever less often, as it costs as much as a deletion. */
  async sayAt(deleted: number): Promise<void> {
    if ((deleted & (deleted - 1)) === 0) await this.say();
  }

  /** To be called when all is deleted; tells what others will miss. */
  async finish(): Promise<void> {
    await this.say();
    if (this.#isSaid) return;
    const text = 'it cannot be said in the repository what was deleted: other machines will miss it until a prune can say so';
    this.#repository.notify({ level: 'warning', code: 'disk_full', message: text, affected: [this.#repository.server] });
  }
}

/** Whether a snapshot was taken since a time. */
function isSince(id: string, since: number): boolean {
  return timeOfId(id).getTime() >= since;
}

interface Deciding {
  readonly going: Going;
  readonly runs: RunIndex;
  readonly repository: Repository;
  readonly before: FoundDeletions;
  readonly since: number;
}

/** What stays of a unit, and what is missing of it and goes on to be missed. */
async function stayingOf(
  { unit, kept, doomed }: UnitRetention,
  { going: { losses }, runs, repository, before, since }: Deciding,
): Promise<{ readonly unit: string; readonly snapshots: string[] }> {
  const stays = kept.map(({ id }) => id);
  if (losses !== NO_LOSSES || standingOf(unit, runs, before).length === 0) return { unit, snapshots: stays };
  const missing = await missingSnapshots(unit, { records: [...kept, ...doomed], unusable: [] }, repository, runs, before);
  return { unit, snapshots: [...stays, ...missing.filter((id) => isSince(id, since))] };
}

/** What was said before of units about which nothing is decided now. */
function carried(
  { standing }: FoundDeletions,
  units: readonly UnitRetention[],
  { snapshots }: Losses,
  greatest: number,
): FoundDeletions['standing'] {
  const decided = new Set(units.map(({ unit }) => unit));
  const lost = new Set(snapshots.flatMap(({ unit }) => (decided.has(unit) ? [] : unit)));
  return [
    ...standing.filter(({ unit }) => !decided.has(unit) && !lost.has(unit)),
    ...[...lost].map((unit) => ({ unit, sequence: greatest, snapshots: [] })),
  ];
}

/** What is missed of its unit because it was the newest. This machine forgets that it saw it. */
function newestGoing({ units, losses }: Going, runs: RunIndex, repository: Repository): UnitSnapshot[] {
  const { stateFolder } = repository;
  const staying = new Map(units.map(({ unit, kept }) => [unit, kept.at(-1)?.id]));
  const all = [...units.flatMap(({ unit, doomed }) => doomed.map(({ id }) => ({ unit, id }))), ...losses.snapshots];
  return all.filter(({ unit, id }) => {
    const seen = readSeenSnapshot(stateFolder, unit);
    if (seen === id) {
      try {
        keepSeenSnapshot(stateFolder, unit, staying.get(unit));
      } catch {
        // Then the next run says once that it is missing.
      }
    }
    return seen === id || runs.named.get(unit)?.id === id;
  });
}

/**
 * The numbers up to the greatest of `sequences` of which no record stays: what was missing before, which was told, is not missed for ever.
 */
function upTo(sequences: readonly number[], runs: RunIndex): DeletionRecord['runs'] {
  return allBut(sequences, runs, Math.max(0, ...sequences));
}

/** The numbers up to `last` of which no record stays when those of `sequences` go. */
function allBut(sequences: readonly number[], { log }: RunIndex, last: number): { readonly first: number; readonly last: number }[] {
  const going = new Set(sequences);
  const end = last + 1;
  const staying = [...log.values()].map(({ sequence }) => sequence).filter((sequence) => sequence < end && !going.has(sequence));
  const borders = [0, ...staying.sort((a, b) => a - b), end];
  return borders.slice(1).flatMap((border, at) => {
    const first = (borders[at] as number) + 1;
    return first < border ? [{ first, last: border - 1 }] : [];
  });
}
