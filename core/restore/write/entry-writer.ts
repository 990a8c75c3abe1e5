import { releaseBuffer } from '../../linux/allocator.ts';
import type { Entry } from '../../manifest/entry.ts';
import { word } from '../../manifest/format/columns.ts';
import { contentInFrame, contentInPieces } from '../content/file-content.ts';
import { decode, type FrameSupply } from '../content/frame-supply.ts';
import { bringUpToDate } from '../plan/compare.ts';
import type { LostName } from '../plan/plan.ts';
import type { RowPlace, SnapshotView } from '../plan/snapshot-view.ts';
import { isLackOfContent, type Problem, problemOf, type Report, type Witness, type WriteRules } from '../rules.ts';
import type { Target } from '../target/target.ts';
import { type LinkedEntry, WORDS_PER_ROW, type WriteResult, type WriteTask } from '../threads/write-messages.ts';
import { HeldFiles } from './held-files.ts';
import { SafeFile } from './safe-file.ts';
import { writeSingle } from './single-entry.ts';

interface Wanted {
  readonly entry: Entry;
  readonly place: RowPlace;
}

/** Writes what one task after the other names. Lives in a writing thread, or for a small restore in the main one. */
export class EntryWriter {
  readonly #target: Target;
  readonly #view: SnapshotView;
  readonly #supply: FrameSupply;
  readonly #usual: WriteRules;
  readonly #held = new HeldFiles();
  /** Those of the task in hand. */
  #rules: WriteRules;
  #cleared = 0;
  #written = 0;
  #unchanged = 0;
  #bytes = 0;
  #problems: Problem[] = [];
  #lost: LostName[] = [];
  #linked: LinkedEntry[] = [];
  readonly #report: Report = (problem) => this.#problems.push(problem);

  constructor(target: Target, view: SnapshotView, supply: FrameSupply, rules: WriteRules) {
    this.#target = target;
    this.#view = view;
    this.#supply = supply;
    const onCleared = (entries: number): void => {
      this.#cleared += entries;
    };
    this.#usual = { ...rules, onCleared };
    this.#rules = this.#usual;
  }

  /** Never throws for what concerns entries: each that failed is a problem of the result. */
  async perform(task: WriteTask): Promise<WriteResult> {
    this.#written = 0;
    this.#unchanged = 0;
    this.#bytes = 0;
    this.#problems = [];
    this.#lost = [];
    this.#linked = [];
    this.#cleared = 0;
    this.#rules = task.type === 'anew' ? { ...this.#usual, overwrite: 'always' } : this.#usual;
    if (task.type === 'frame') await this.#writeFrame(task);
    else if (task.type === 'file') await this.#writeFile(task.place);
    else if (task.type === 'anew') await this.#writeAnew(task.place);
    else this.#writeSingles(task.rows);
    this.#supply.clear();
    const [written, unchanged, bytes, problems] = [this.#written, this.#unchanged, this.#bytes, this.#problems];
    return { written, unchanged, bytes, cleared: this.#cleared, problems, lost: this.#lost, linked: this.#linked };
  }

  /** For an entry with several names: remembers which inode it is, to which the others are linked. */
  #witnessOf({ entry, place }: Wanted): Witness | undefined {
    if (entry.linkCount === 1) return undefined;
    return ({ device, inode }) => void this.#linked.push({ place, device, inode });
  }

  #writeSingles(rows: Uint32Array): void {
    for (const wanted of this.#entriesOf(rows)) {
      const { entry } = wanted;
      try {
        const place = this.#target.place(entry.path);
        if (writeSingle(place, entry, this.#rules, this.#report, this.#witnessOf(wanted))) this.#written++;
        else this.#unchanged++;
      } catch (error) {
        this.#fail(wanted, error);
      }
    }
  }

  async #writeFrame(task: Extract<WriteTask, { type: 'frame' }>): Promise<void> {
    const wanted = [...this.#entriesOf(task.rows)].filter((each) => this.#isWanted(each));
    if (wanted.length === 0) return;
    let tar: Buffer;
    try {
      tar = task.stored === undefined ? await this.#supply.get(task.pack, task.frame) : decode(task.stored);
    } catch (error) {
      for (const each of wanted) this.#fail(each, error);
      return;
    }
    for (const each of wanted) {
      this.#held.enter(each.entry.path);
      try {
        this.#writeSmall(each, tar);
      } catch (error) {
        this.#fail(each, error);
      }
    }
    this.#held.release();
    releaseBuffer(tar);
  }

  *#entriesOf(rows: Uint32Array): Generator<Wanted> {
    for (let at = 0; at < rows.length; at += WORDS_PER_ROW) {
      const place = { layer: word(rows, at), block: word(rows, at + 1), row: word(rows, at + 2) };
      yield { entry: this.#view.entryAt(place), place };
    }
  }

  /** Whether the file has to be written, not being there as it should. */
  #isWanted(wanted: Wanted): boolean {
    const { entry } = wanted;
    try {
      if (this.#rules.overwrite !== 'changed') return true;
      const likeness = bringUpToDate(this.#target.place(entry.path), entry, this.#report, this.#witnessOf(wanted));
      if (likeness === 'same') this.#unchanged++;
      else if (likeness === 'updated') this.#written++;
      return likeness === 'different';
    } catch (error) {
      this.#fail(wanted, error);
      return false;
    }
  }

  #writeSmall(wanted: Wanted, tar: Buffer): void {
    const { entry } = wanted;
    const content = contentInFrame(entry, tar);
    const file = new SafeFile(this.#target.place(entry.path), entry, this.#rules, this.#report);
    try {
      file.append(content);
    } catch (error) {
      file.abandon();
      throw error;
    }
    if (file.takesFreePlace()) this.#settle(file, wanted);
    else this.#held.hold({ file, done: () => this.#settle(file, wanted), failed: (error) => this.#fail(wanted, error) });
  }

  async #writeAnew(place: RowPlace): Promise<void> {
    const { kind, size } = this.#view.entryAt(place);
    if (kind === 'file' && size > 0) await this.#writeFile(place);
    else this.#writeSingles(Uint32Array.of(place.layer, place.block, place.row));
  }

  async #writeFile(place: RowPlace): Promise<void> {
    const entry = this.#view.entryAt(place);
    const wanted = { entry, place };
    if (!this.#isWanted(wanted)) return;
    try {
      const file = new SafeFile(this.#target.place(entry.path), entry, this.#rules, this.#report);
      try {
        for await (const piece of contentInPieces(entry, this.#supply)) file.append(piece);
      } catch (error) {
        file.abandon();
        throw error;
      }
      if (!file.takesFreePlace()) {
        file.sync();
        file.replace();
      }
      this.#settle(file, wanted);
    } catch (error) {
      this.#fail(wanted, error);
    }
  }

  #settle(file: SafeFile, wanted: Wanted): void {
    // A file with further names is protected when those are linked.
    file.settle(wanted.entry.linkCount === 1, this.#witnessOf(wanted));
    this.#written++;
    this.#bytes += wanted.entry.size;
  }

  #fail({ entry, place }: Wanted, error: unknown): void {
    this.#problems.push(problemOf(entry.path, error));
    if (entry.linkCount > 1) this.#lost.push({ ...place, lacksContent: isLackOfContent(error) });
  }
}
