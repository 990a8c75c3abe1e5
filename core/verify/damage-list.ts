import { asFailure, Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { toWirePath } from '../manifest/wire-path.ts';
import type { Damage } from '../schemas/verify.ts';

/** How many files of one damaged object are named; the others are counted. */
const NAMED_FILES = 100;

interface ObjectDamage {
  readonly code: string;
  readonly message: string;
  readonly snapshots: Set<string>;
  readonly files: ByteString[];
  fileCount: number;
}

/** What was found to be wrong, one item an object: its first problem, and every snapshot and file that it touches. */
export class DamageList {
  readonly #objects = new Map<string, ObjectDamage>();

  /** `object` is the path of the damaged object below the repository; `snapshots` are the ids of those that need it. */
  add(object: string, error: unknown, snapshots: Iterable<string>): void {
    const { code, message } = asFailure(error);
    let damage = this.#objects.get(object);
    if (damage === undefined) {
      damage = { code, message, snapshots: new Set(), files: [], fileCount: 0 };
      this.#objects.set(object, damage);
    }
    for (const snapshot of snapshots) damage.snapshots.add(snapshot);
  }

  /** Adds a file, once, to an object that was added. */
  addFile(object: string, path: ByteString): void {
    const damage = this.#objects.get(object);
    if (damage === undefined) throw new Failure('internal', `${object} was not added`);
    damage.fileCount++;
    if (damage.files.length < NAMED_FILES) damage.files.push(path);
  }

  /** All of it that touches a snapshot which `isThere` (by its id), or none at all. */
  async ofSnapshots(isThere: (snapshot: string) => Promise<boolean>): Promise<Damage[]> {
    const damages: Damage[] = [];
    for (const [object, { code, message, snapshots: touched, files, fileCount }] of this.#objects) {
      const snapshots: string[] = [];
      for (const snapshot of [...touched].sort()) if (await isThere(snapshot)) snapshots.push(snapshot);
      if (touched.size > 0 && snapshots.length === 0) continue;
      damages.push({ code, message, object, snapshots, files: files.sort().map(toWirePath), fileCount });
    }
    return damages;
  }
}
