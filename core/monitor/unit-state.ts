import { basename } from 'node:path';
import { ChainIndex, chainMembers } from '../chain/chain-index.ts';
import { takenAt } from '../chain/snapshot.ts';
import { recordIdOf, snapshotPath, snapshotsFolder, unitFolder } from '../repository/layout.ts';
import { isComplete, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { chainSnapshots, type RecordedSnapshot } from '../timeline/chain-snapshots.ts';
import type { LastUnchanged } from '../timeline/unchanged-runs.ts';

/** A snapshot that could be restored, by what the records and the sizes of objects say. */
export interface Standing {
  readonly record: SnapshotRecord;
  /** Until when it is known to be the state of its unit, in milliseconds since 1970. */
  readonly until: number;
  /** How many snapshots a restore of it reads, and the bytes that they have added to the repository. */
  readonly chainLength: number;
  readonly chainBytes: number;
}

/** How the backups of one unit stand. */
export interface UnitState {
  /** The newest that could be restored; undefined when there is none. */
  readonly last: Standing | undefined;
  /** The newest of those that are complete. */
  readonly lastComplete: Standing | undefined;
  /** Why the newest of all could not be restored; undefined when it could, or there is none. */
  readonly obstacle: string | undefined;
}

/**
 * Looks from the newest snapshot back only as far as it has to: one listing of the unit's folder, and the records of one chain as a rule.
 * Snapshots dated after `now` (milliseconds since 1970) count for nothing yet.
 */
export async function readUnitState(unit: string, repository: Repository, unchanged: LastUnchanged, now: number): Promise<UnitState> {
  const reader = await UnitReader.open(unit, repository, unchanged);
  let obstacle: string | undefined;
  let last: Standing | undefined;
  for (const id of reader.newestFirst) {
    const found = await reader.standing(id);
    if ('problem' in found) {
      if (last === undefined) obstacle ??= found.problem;
      continue;
    }
    if (Date.parse(found.record.time) > now) continue;
    last ??= found;
    if (isComplete(found.record)) return { last, lastComplete: found, obstacle };
  }
  return { last, lastComplete: undefined, obstacle };
}

/** The records of a unit, each read when it is asked for, with the sizes of all of its objects. */
class UnitReader {
  readonly newestFirst: readonly string[];
  readonly #unit: string;
  readonly #repository: Repository;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #unchanged: LastUnchanged;
  readonly #records = new Map<string, RecordedSnapshot | undefined>();

  private constructor(unit: string, repository: Repository, sizes: ReadonlyMap<string, number>, unchanged: LastUnchanged) {
    this.#unit = unit;
    this.#repository = repository;
    this.#sizes = sizes;
    this.#unchanged = unchanged;
    const folder = `${snapshotsFolder(unit)}/`;
    const names = [...sizes.keys()].filter((path) => path.startsWith(folder)).map((path) => recordIdOf(basename(path)));
    this.newestFirst = names
      .filter((id) => id !== undefined)
      .sort()
      .reverse();
  }

  static async open(unit: string, repository: Repository, unchanged: LastUnchanged): Promise<UnitReader> {
    const sizes = new Map<string, number>();
    for await (const { name, size } of repository.listObjects(`${unitFolder(unit)}/`)) sizes.set(name, size);
    return new UnitReader(unit, repository, sizes, unchanged);
  }

  /** What restoring a snapshot takes, or why it cannot be done. */
  async standing(id: string): Promise<Standing | { readonly problem: string }> {
    const members: RecordedSnapshot[] = [];
    // Every link that could belong to the chain; which do, the index says.
    for (let at: string | undefined = id; at !== undefined && !members.some((member) => member.id === at); ) {
      const member: RecordedSnapshot | undefined = await this.#read(at);
      if (member === undefined) break;
      members.push(member);
      at = (member.level === 'differential' ? member.base : member.parent)?.id;
      if (member.level === 'full') break;
    }
    const [top] = members;
    if (top === undefined) return { problem: `the record of ${id} cannot be used` };
    try {
      const chain = chainMembers(new ChainIndex(members).select(id));
      const lost = chain
        .flatMap(({ record }) => [record.manifest, ...record.packs])
        .find(({ path, length }) => this.#sizes.get(path) !== length);
      if (lost !== undefined) return { problem: `${lost.path} is ${this.#sizes.has(lost.path) ? 'cut' : 'missing'}` };
      const until = Math.max(takenAt(top), Date.parse(top.unchangedUntil ?? '') || 0);
      const chainBytes = chain.reduce((sum, { record }) => sum + record.bytes.stored, 0);
      return { record: top.record, until, chainLength: chain.length, chainBytes };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }

  async #read(id: string): Promise<RecordedSnapshot | undefined> {
    if (!this.#records.has(id)) this.#records.set(id, await this.#readOnce(id));
    return this.#records.get(id);
  }

  async #readOnce(id: string): Promise<RecordedSnapshot | undefined> {
    const path = snapshotPath(this.#unit, id);
    if (!this.#sizes.has(path)) return undefined;
    try {
      const record = await this.#repository.readSnapshot(this.#unit, path);
      return chainSnapshots([record], this.#repository, this.#unchanged)[0];
    } catch {
      return undefined;
    }
  }
}
