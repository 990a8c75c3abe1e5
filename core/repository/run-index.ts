import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { timedIdStart, timeOfId } from './ids.ts';
import type { Repository } from './repository.ts';
import type { RunRecord } from './run-record.ts';

const FILE = 'runs.json';

/** A run that found a snapshot to be the state of its unit still, and when. */
export interface Witness {
  /** The id of the run. */
  readonly run: string;
  /** RFC 3339 UTC. */
  readonly time: string;
}

/**
 * What the records of a server's runs say about its snapshots, kept in the state of the repository: each record is read once,
 * however many there are. Lost or damaged it is made again.
 */
export class RunIndex {
  /** The ids of all runs there are, oldest first. */
  readonly ids: readonly string[];
  /** By the digest of a snapshot's record: the last run up to the present that found nothing changed since. */
  readonly witnesses: ReadonlyMap<string, Witness>;
  readonly #file: string;
  readonly #read: readonly string[];
  readonly #isNew: boolean;

  private constructor(file: string, ids: readonly string[], read: readonly string[], witnesses: Map<string, Witness>, isNew: boolean) {
    this.#file = file;
    this.ids = ids;
    this.#read = read;
    this.witnesses = witnesses;
    this.#isNew = isNew;
  }

  /**
   * Runs dated after `now` (milliseconds since 1970) count for nothing yet: a clock that was ahead once must not hide what was found
   * before. Records of runs before `since` are not read where that is given.
   */
  static async read(repository: Repository, now: number, since?: number): Promise<RunIndex> {
    const file = join(repository.stateFolder, FILE);
    const ids = await repository.runs.ids();
    const there = new Set(ids);
    const present = timedIdStart(new Date(now));
    const begin = since === undefined ? '' : timedIdStart(new Date(Math.max(since, 0)));
    const { runs, witnesses } = readIndex(file, now, there) ?? { runs: [], witnesses: new Map<string, Witness>() };
    const known = new Set(runs);
    const read: string[] = [];
    for (const id of ids) {
      if (!known.has(id)) {
        if (id < begin || id.slice(0, present.length) > present) continue;
        const record = await repository.runs.read(id);
        if (record === undefined) continue;
        addWitnesses(record, witnesses);
      }
      read.push(id);
    }
    const isNew = read.length !== runs.length || read.some((id, index) => id !== runs[index]);
    return new RunIndex(file, ids, read, witnesses, isNew);
  }

  /** When the runs began, in milliseconds since 1970. */
  get times(): number[] {
    return this.ids.map((id) => timeOfId(id).getTime());
  }

  /**
   * Keeps the index for the next time, without the runs whose records were removed since. Where the state cannot be written, the
   * records are read again.
   */
  save(removed: readonly string[] = []): void {
    if (!this.#isNew && removed.length === 0) return;
    const gone = new Set(removed);
    const runs = this.#read.filter((id) => !gone.has(id));
    const witnesses = Object.fromEntries([...this.witnesses].filter(([, { run }]) => !gone.has(run)));
    try {
      replaceFile(this.#file, Buffer.from(`${JSON.stringify({ runs, witnesses })}\n`));
    } catch {
      // What is only quicker must not stop anything.
    }
  }
}

/** A snapshot that was made by the run itself is no older than its id says: such an entry is no witness. */
function addWitnesses({ id, units }: RunRecord, witnesses: Map<string, Witness>): void {
  for (const { snapshot, time } of units) {
    if (snapshot === null || !(Date.parse(time) > timeOfId(snapshot.id).getTime())) continue;
    const known = witnesses.get(snapshot.sha256);
    if (known === undefined || Date.parse(time) > Date.parse(known.time)) witnesses.set(snapshot.sha256, { run: id, time });
  }
}

/** Undefined also when it was made by a clock that was ahead, or names a record that is gone: then an older one may be the witness. */
function readIndex(file: string, now: number, there: ReadonlySet<string>): { runs: string[]; witnesses: Map<string, Witness> } | undefined {
  try {
    const { runs, witnesses } = JSON.parse(readFileSync(file, 'utf8')) as { runs: string[]; witnesses: Record<string, Witness> };
    const found = new Map(Object.entries(witnesses));
    const isAhead =
      runs.some((id) => !(timeOfId(id).getTime() <= now)) || [...found.values()].some(({ time }) => !(Date.parse(time) <= now));
    return isAhead || [...found.values()].some(({ run }) => !there.has(run)) ? undefined : { runs, witnesses: found };
  } catch {
    return undefined;
  }
}
