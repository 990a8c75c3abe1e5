import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import type { Failure } from '../failure.ts';
import { runDocument } from './documents.ts';
import { timedIdStart, timeOfId } from './ids.ts';
import { runPath } from './layout.ts';
import type { Repository } from './repository.ts';
import type { LogLink, RunRecord } from './run-record.ts';
import { hasStateDirectory } from './state-directory.ts';

const FILE = 'runs.json';

/** A run that found a snapshot to be the state of its unit still, and when. */
export interface Witness {
  /** The id of the run. */
  readonly run: string;
  /** RFC 3339 UTC. */
  readonly time: string;
}

/** A run record in the log: its number, and the record before it. */
export interface IndexedLog {
  readonly sequence: number;
  readonly previous: { readonly sequence: number; readonly id: string } | null;
  /** Whether its server tells since then what stays. */
  readonly standing: boolean;
}

/** The newest snapshot of a unit as the newest run says that names it. */
interface Named {
  /** The id of the snapshot. */
  readonly id: string;
  /** The run and its number. */
  readonly run: string;
  readonly sequence: number;
}

/** What the index keeps of the records that were read. */
interface Known {
  readonly runs: string[];
  readonly witnesses: Map<string, Witness>;
  readonly log: Map<string, IndexedLog>;
  readonly named: Map<string, Named>;
  readonly mentioned: Map<string, Mentioned>;
}

/** By the id of a snapshot: the greatest number of a run that names it. */
type Mentioned = Record<string, number>;

function nothingKnown(): Known {
  return { runs: [], witnesses: new Map(), log: new Map(), named: new Map(), mentioned: new Map() };
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
  /** By the id of a run: where it stands in the log. */
  readonly log: ReadonlyMap<string, IndexedLog>;
  /** By the id of a unit: its newest snapshot as the log says. */
  readonly named: ReadonlyMap<string, Named>;
  /** Why records count for nothing: what they witness is not known. */
  readonly unread: readonly Failure[];
  readonly #mentioned: ReadonlyMap<string, Mentioned>;
  /** The greatest number of a run by a program that did not tell what stays: what was deleted until then, nobody knows. */
  readonly untold: number;
  readonly #file: string;
  readonly #read: readonly string[];
  readonly #isNew: boolean;

  private constructor(
    file: string,
    ids: readonly string[],
    { runs, witnesses, log, named, mentioned }: Known,
    unread: readonly Failure[],
    isNew: boolean,
  ) {
    this.unread = unread;
    this.#file = file;
    this.ids = ids;
    this.#read = runs;
    this.witnesses = witnesses;
    this.log = log;
    this.named = named;
    this.#mentioned = mentioned;
    this.untold = Math.max(0, ...[...log.values()].map(({ sequence, standing }) => (standing ? 0 : sequence)));
    this.#isNew = isNew;
  }

  /**
   * Runs dated after `now` (milliseconds since 1970) count for nothing yet: a clock that was ahead once must not hide what was found
   * before. Records of runs before `since` are not read where that is given.
   */
  static async read(repository: Repository, now: number, since?: number): Promise<RunIndex> {
    const file = join(repository.stateFolder, repository.isOwn ? FILE : `${repository.server}-${FILE}`);
    const ids = await repository.runs.ids();
    const there = new Set(ids);
    const present = timedIdStart(new Date(now));
    const begin = since === undefined ? '' : timedIdStart(new Date(Math.max(since, 0)));
    const known = readIndex(file, now, there) ?? nothingKnown();
    const before = new Set(known.runs);
    const read: string[] = [];
    const unread: Failure[] = [];
    let newest: LogLink | undefined;
    const isWanted = (id: string): boolean => id >= begin && id.slice(0, present.length) <= present;
    repository.expectDocuments(runDocument, ids.filter((id) => !before.has(id) && isWanted(id)).map(runPath));
    for (const id of ids) {
      if (!before.has(id)) {
        if (!isWanted(id)) continue;
        const found = await repository.runs.readLinked(id, (failure) => unread.push(failure));
        if (found === undefined) continue;
        addWitnesses(found.run, known.witnesses);
        addToLog(found.run, known);
        const { log } = found.run;
        if (log !== undefined && log.sequence > (newest?.sequence ?? 0)) newest = { sequence: log.sequence, id, sha256: found.sha256 };
      }
      read.push(id);
    }
    for (const id of known.log.keys()) if (!there.has(id)) known.log.delete(id);
    if (newest !== undefined) repository.runs.see(newest);
    const isNew = read.length !== known.runs.length || read.some((id, index) => id !== known.runs[index]);
    return new RunIndex(file, ids, { ...known, runs: read }, unread, isNew);
  }

  /** The ids of the units that the log names. */
  get units(): Iterable<string> {
    return this.#mentioned.keys();
  }

  /** Whether the log names a unit. */
  names(unit: string): boolean {
    return this.#mentioned.has(unit) || this.named.has(unit);
  }

  /** The ids of a unit's snapshots that runs behind the number `sequence` name, as far as their server told since then what it deleted. */
  mentionedSince(unit: string, sequence: number): string[] {
    const since = Math.max(sequence, this.untold);
    return Object.entries(this.#mentioned.get(unit) ?? {}).flatMap(([id, last]) => (last > since ? id : []));
  }

  /** The greatest number of a run. */
  get greatest(): number {
    return Math.max(0, ...[...this.log.values()].map(({ sequence }) => sequence));
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
    if ((!this.#isNew && removed.length === 0) || !hasStateDirectory(dirname(this.#file))) return;
    const gone = new Set(removed);
    const runs = this.#read.filter((id) => !gone.has(id));
    const witnesses = Object.fromEntries([...this.witnesses].filter(([, { run }]) => !gone.has(run)));
    const log = Object.fromEntries([...this.log].filter(([id]) => !gone.has(id)));
    const named = Object.fromEntries(this.named);
    const mentioned = Object.fromEntries(withoutForgotten(this.#mentioned, Object.values(log)));
    try {
      replaceFile(this.#file, Buffer.from(`${JSON.stringify({ runs, witnesses, log, named, mentioned })}\n`));
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

function addToLog({ id, units, log }: RunRecord, known: Known): void {
  if (log === undefined) return;
  const { sequence, previous } = log;
  const standing = log.standing === true;
  known.log.set(id, { sequence, previous: previous === null ? null : { sequence: previous.sequence, id: previous.id }, standing });
  for (const { unit, snapshot } of units) {
    if (unit === null || snapshot === null) continue;
    if (standing) mention(known.mentioned, unit, snapshot.id, sequence);
    if ((known.named.get(unit)?.sequence ?? 0) > sequence) continue;
    known.named.set(unit, { id: snapshot.id, run: id, sequence });
  }
}

function mention(mentioned: Map<string, Mentioned>, unit: string, snapshot: string, sequence: number): void {
  const known = mentioned.get(unit) ?? {};
  known[snapshot] = Math.max(sequence, known[snapshot] ?? 0);
  mentioned.set(unit, known);
}

/** Without what no record in the log can name any more. */
function withoutForgotten(mentioned: ReadonlyMap<string, Mentioned>, log: readonly IndexedLog[]): [string, Mentioned][] {
  const first = Math.min(...log.map(({ sequence }) => sequence));
  return [...mentioned].flatMap(([unit, snapshots]): [string, Mentioned][] => {
    const left = Object.entries(snapshots).filter(([, last]) => last >= first);
    return left.length === 0 ? [] : [[unit, Object.fromEntries(left)]];
  });
}

/** Undefined also when it was made by a clock that was ahead, or names a record that is gone: then an older one may be the witness. */
function readIndex(file: string, now: number, there: ReadonlySet<string>): Known | undefined {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly runs: string[];
      readonly witnesses: Record<string, Witness>;
      readonly log: Record<string, IndexedLog>;
      readonly named: Record<string, Named>;
      readonly mentioned: Record<string, Mentioned>;
    };
    const { runs } = stored;
    const witnesses = new Map(Object.entries(stored.witnesses));
    const isAhead =
      runs.some((id) => !(timeOfId(id).getTime() <= now)) || [...witnesses.values()].some(({ time }) => !(Date.parse(time) <= now));
    const named = new Map(Object.entries(stored.named));
    if (isAhead || [...witnesses.values(), ...named.values()].some(({ run }) => !there.has(run))) return undefined;
    const [log, mentioned] = [new Map(Object.entries(stored.log)), new Map(Object.entries(stored.mentioned))];
    return { runs, witnesses, log, named, mentioned };
  } catch {
    return undefined;
  }
}
