import type { ByteString } from '../manifest/entry.ts';
import { CountedList } from './counted-list.ts';
import type { LostName, Plan } from './plan/plan.ts';
import type { RowPlace } from './plan/snapshot-view.ts';
import type { Problem } from './rules.ts';
import type { Inode } from './write/hard-links.ts';

/** What a restore did, or in a dry run what it would do. */
export interface Outcome {
  readonly status: 'ok' | 'partial' | 'failed';
  /** Entries that were chosen. */
  readonly entries: number;
  readonly written: number;
  /** Already there as in the snapshot. */
  readonly unchanged: number;
  /** Left alone because they exist. */
  readonly skipped: number;
  readonly deleted: number;
  /** Not restored; each is a problem. Entries that lack an attribute only are written. */
  readonly failed: number;
  readonly bytesWritten: number;
  readonly bytesFetched: number;
  readonly problems: CountedList<Problem>;
  /** Of a dry run: the entries that would be replaced or deleted, and the packs that are needed. */
  readonly overwrites: CountedList<ByteString>;
  readonly deletions: CountedList<ByteString>;
  readonly packs: readonly string[];
}

/** Collects an outcome, and which names must not be linked to. */
export class OutcomeBuilder {
  readonly problems = new CountedList<Problem>();
  readonly overwrites = new CountedList<ByteString>();
  readonly deletions = new CountedList<ByteString>();
  /** Of names that were not written, whether the content is not to be had. */
  readonly #lost = new Map<string, boolean>();
  readonly #linked = new Map<string, Inode>();
  packs: readonly string[] = [];
  entries = 0;
  written = 0;
  unchanged = 0;
  skipped = 0;
  deleted = 0;
  failed = 0;
  bytesWritten = 0;
  bytesFetched = 0;
  bytesTotal = 0;

  begin(plan: Plan): void {
    this.entries += plan.entries;
    this.skipped += plan.skipped;
    this.bytesTotal = plan.bytes;
    for (const problem of plan.problems) this.fail(problem);
    for (const place of plan.lost) this.lose(place);
  }

  /** An entry that is there and stays as it is. */
  leaveAlone(): void {
    this.entries++;
    this.skipped++;
  }

  /** So many entries went with a directory that had to make room. */
  clear(entries: number): void {
    this.deleted += entries;
  }

  /** An entry that was not restored. */
  fail(problem: Problem): void {
    this.failed++;
    this.problems.add(problem);
  }

  /** What a damaged manifest says no more: of one entry, or of many of which nobody knows. */
  addLost(problem: Problem, isEntry: boolean): void {
    if (isEntry) {
      this.entries++;
      this.fail(problem);
    } else this.problems.add(problem);
  }

  /** Anything that was reported about an entry: one that only lacks an attribute is not failed. */
  report(problem: Problem): void {
    if (problem.code === 'attribute_refused') this.problems.add(problem);
    else this.fail(problem);
  }

  /** The entry at this place has further names and was not restored: what stands there is not what they are. */
  lose({ layer, block, row, lacksContent }: LostName): void {
    this.#lost.set(`${layer}:${block}:${row}`, lacksContent);
  }

  /** Whether a name was not written because the content is not to be had. */
  lacksContent({ layer, block, row }: RowPlace): boolean {
    return this.#lost.get(`${layer}:${block}:${row}`) === true;
  }

  /** The entry at this place has further names, and is this inode. */
  link({ layer, block, row }: RowPlace, { device, inode }: Inode): void {
    this.#linked.set(`${layer}:${block}:${row}`, { device, inode });
  }

  /** Which inode an entry with further names is; undefined when it is not there. */
  inodeOf({ layer, block, row }: RowPlace): Inode | undefined {
    return this.#linked.get(`${layer}:${block}:${row}`);
  }

  get done(): number {
    return this.written + this.unchanged + this.skipped + this.failed;
  }

  finish(): Outcome {
    const { entries, written, unchanged, skipped, deleted, failed, bytesWritten, bytesFetched } = this;
    const { problems, overwrites, deletions, packs } = this;
    const nothing = written + unchanged + skipped === 0 && failed > 0;
    const status = problems.count === 0 ? 'ok' : nothing ? 'failed' : 'partial';
    return {
      ...{ status, entries, written, unchanged, skipped, deleted, failed, bytesWritten, bytesFetched },
      ...{ problems, overwrites, deletions, packs },
    };
  }
}
