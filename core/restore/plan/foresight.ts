import { Failure } from '../../failure.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { childPath, parentPath } from '../../manifest/paths.ts';
import { checkKept } from '../directories/kept-directory.ts';
import type { OutcomeBuilder } from '../outcome.ts';
import { namesIn, type UpperLayer } from '../overlay/overlay-layers.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import { type Problem, problemOf, type WriteRules } from '../rules.ts';

import { clearDirectory } from '../target/publish.ts';
import type { Place, Target } from '../target/target.ts';
import { likenessOf } from './compare.ts';
import { isSameInode, standingAt } from './foreign-names.ts';
import type { SelectedEntry } from './snapshot-view.ts';

/** What a restore would do with an entry; only what would be `written` needs its content. */
export type Foreseen = 'unchanged' | 'updated' | 'written' | 'failed';

/**
 * What a dry run finds out: for each entry what a restore would do, decided by the same rules, and counted and named as the restore
 * itself would. Entries come in path order, directories before what is in them; further names of files may come later.
 */
export class Foresight {
  readonly #target: Target;
  readonly #rules: WriteRules;
  readonly #outcome: OutcomeBuilder;
  readonly #upper: UpperLayer | undefined;
  readonly #stat = new StatBuffer();
  /** Of the topmost directories that would be made, and of those that could not be entered, why. */
  readonly #changes = new Map<ByteString, 'made' | Problem>();

  /** `upper` is of a mounted account. */
  constructor(target: Target, rules: WriteRules, outcome: OutcomeBuilder, upper: UpperLayer | undefined) {
    this.#target = target;
    this.#rules = rules;
    this.#outcome = outcome;
    this.#upper = upper;
  }

  /** A directory; `isParent` one above chosen paths, which counts for nothing. */
  directory({ entry, isParent }: SelectedEntry): void {
    const { path } = entry;
    const outcome = this.#outcome;
    let isNew = true;
    try {
      const above = this.#directoryAbove(path);
      if (above === 'there') isNew = this.#judgeDirectory(path);
    } catch (error) {
      const problem = problemOf(path, error);
      if (!this.#changes.has(path)) this.#changes.set(path, problem);
      if (!isParent) outcome.fail(problem);
      return;
    }
    if (isParent) return;
    try {
      if (!isNew && this.#rules.overwrite === 'never') outcome.skipped++;
      else {
        if (!isNew) this.#checkKept(entry);
        outcome.written++;
      }
    } catch (error) {
      outcome.fail(problemOf(path, error));
    }
  }

  /** Whether it would be made, be it in the place of something else. */
  #judgeDirectory(path: ByteString): boolean {
    const stat = this.#stat;
    const place = this.#target.place(path);
    const isThere = place.name === '' || statAt(place.directory, place.name, stat);
    if (place.name === '' || (isThere && stat.isDirectory)) {
      this.#target.directory(path);
      return false;
    }
    if (isThere) {
      if (this.#rules.overwrite === 'never') {
        throw new Failure('target_in_the_way', 'something that is no directory stands here', { affected: [path] });
      }
      checkMount(path, stat);
    }
    checkDirectory(place.directory, this.#rules.owner);
    if (isThere) this.#outcome.overwrites.add(path);
    this.#changes.set(path, 'made');
    return true;
  }

  #checkKept(entry: Entry): void {
    const stat = this.#stat;
    statDescriptor(this.#target.directory(entry.path), stat);
    checkKept(entry, this.#rules, stat, this.#target.isOverlay(entry.path) ? this.#upper : undefined);
  }

  /** An entry that is no directory; `anew` one that must not stay the file that it is. */
  other(entry: Entry, anew: boolean): Foreseen {
    const { path } = entry;
    const outcome = this.#outcome;
    try {
      const foreseen = this.#directoryAbove(path) === 'made' ? 'written' : this.#judge(this.#target.place(path), entry, anew);
      if (foreseen === 'unchanged') outcome.unchanged++;
      else outcome.written++;
      if (foreseen === 'written' && entry.kind === 'file') outcome.bytesWritten += entry.size;
      return foreseen;
    } catch (error) {
      outcome.fail(problemOf(path, error));
      return 'failed';
    }
  }

  #judge(place: Place, entry: Entry, anew: boolean): Foreseen {
    const { path } = entry;
    if (place.name === '') throw new Failure('target_in_the_way', 'this is the directory that is restored into', { affected: [path] });
    const likeness = this.#rules.overwrite === 'changed' && !anew ? likenessOf(place, entry) : 'different';
    if (likeness === 'same') return 'unchanged';
    this.#makeRoom(place, path);
    return likeness === 'updated' ? 'updated' : 'written';
  }

  /** A further name of the file that `first` is the name of, which would stay the file that it is or be another one. */
  later(entry: Entry, first: ByteString, firstStays: boolean): Foreseen {
    const { path } = entry;
    const outcome = this.#outcome;
    try {
      if (this.#directoryAbove(path) === 'there') {
        const stands = standingAt(this.#target, path);
        if (firstStays && isSameInode(stands, standingAt(this.#target, first))) {
          outcome.unchanged++;
          return 'unchanged';
        }
        this.#makeRoom(this.#target.place(path), path);
      }
      outcome.written++;
      return 'written';
    } catch (error) {
      outcome.fail(problemOf(path, error));
      return 'failed';
    }
  }

  /** Names what would have to make room. Throws why it cannot. */
  #makeRoom(place: Place, path: ByteString): void {
    checkDirectory(place.directory, this.#rules.owner);
    const stat = this.#stat;
    if (!statAt(place.directory, place.name, stat)) return;
    if (!stat.isDirectory) checkMount(path, stat);
    else {
      const names = namesIn(this.#target, path);
      const again = this.#target.place(path);
      this.#outcome.deleted += clearDirectory(again, path, this.#rules, names.length);
      for (const name of names) this.#outcome.deletions.add(childPath(path, name));
    }
    this.#outcome.overwrites.add(path);
  }

  /** Throws when what is above the path could not be entered. */
  #directoryAbove(path: ByteString): 'there' | 'made' {
    const parent = parentPath(path);
    for (let each = parent; each !== ''; each = parentPath(each)) {
      const change = this.#changes.get(each);
      if (change === 'made') return 'made';
      if (change !== undefined) throw new Failure(change.code, change.message, { affected: [path] });
    }
    try {
      this.#target.directory(parent);
      return 'there';
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 'made';
      throw error;
    }
  }
}

/** `stat` is of what stands at the path and is no directory. */
function checkMount(path: ByteString, stat: StatBuffer): void {
  if (stat.isMountRoot) throw new Failure('mount_skipped', 'something is mounted here', { affected: [path] });
}
