import { asFailure, Failure } from '../failure.ts';
import type { ObjectReference, SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';

/** No key here opens it. */
const FOR_OTHERS: ReadonlySet<string> = new Set(['identity_missing', 'identity_wrong']);

/** Whether a failure says that something is encrypted for others. */
export function isForOthers({ code }: Pick<Failure, 'code'>): boolean {
  return FOR_OTHERS.has(code);
}

/**
 * What of a unit's backups nobody here has a key for, such as what is older than a change of keys. Of that the digests of what is stored are compared. Where
 * contents were to be read, each snapshot that has such an object is named.
 */
export class LockedContents {
  readonly #repository: Repository;
  readonly #isAll: boolean;
  /** Why objects cannot be read, by path; undefined of those that can. */
  readonly #obstacles = new Map<string, Failure | undefined>();
  readonly #failures = new Map<string, Failure>();

  /** `isAll`: all contents are to be read. */
  constructor(repository: Repository, isAll: boolean) {
    this.#repository = repository;
    this.#isAll = isAll;
  }

  /** One for each snapshot. */
  get failures(): readonly Failure[] {
    return [...this.#failures.values()];
  }

  has({ path }: ObjectReference): boolean {
    return this.#obstacles.get(path) !== undefined;
  }

  /** Looks which manifests, and `withPacks` which packs, cannot be read. Reads none of them. */
  async find(records: readonly SnapshotRecord[], withPacks: boolean): Promise<void> {
    for (const record of records) {
      for (const reference of withPacks ? [record.manifest, ...record.packs] : [record.manifest]) {
        const { path } = reference;
        if (!this.#obstacles.has(path)) this.#obstacles.set(path, await this.#repository.keys.obstacle([reference]));
        const obstacle = this.#obstacles.get(path);
        if (obstacle !== undefined) this.add(record.id, obstacle);
      }
    }
  }

  /** Whether an error says that something is encrypted for others; the snapshot that has it is named then. */
  add(snapshot: string, error: unknown): boolean {
    const failure = asFailure(error);
    if (!isForOthers(failure)) return false;
    const { code, message, affected, advice } = failure;
    // Who gave no key and did not want to see all asked for no more than is compared.
    if (!this.#isAll && !this.#repository.keys.isGiven) return true;
    const text = `${snapshot}: of what is encrypted only the stored bytes were compared: ${message}`;
    if (!this.#failures.has(snapshot))
      this.#failures.set(
        snapshot,
        new Failure(code, text, { affected: [snapshot, ...affected], ...(advice === undefined ? {} : { advice }) }),
      );
    return true;
  }
}
