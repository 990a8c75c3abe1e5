import { asFailure } from '../../failure.ts';
import { UnitContents } from '../known/unit-contents.ts';
import { EntryReader } from '../read/entry-reader.ts';
import { ReadEntriesBuilder } from '../read/read-entries.ts';
import type { StreamOrder } from '../stream/stored-stream.ts';
import { StreamWriter } from '../stream/stream-writer.ts';
import type { Batch, UnitTask } from './batch.ts';
import { ContentStore } from './content-store.ts';
import { type Answer, PackOutput } from './pack-output.ts';

/** What a worker thread does and holds for one unit, from its beginning to its end. */
export class UnitWork {
  readonly unit: number;
  readonly #answer: Answer;
  readonly #output: PackOutput;
  readonly #known: UnitContents | undefined;
  readonly #reader: EntryReader;
  /** What a batch failed with: its frames may lack something, so no further one goes into the same packs. */
  #failure: unknown;

  /** `memory` is the thread's, of `FrameBuffer.allocate`. */
  constructor(unit: number, task: UnitTask, answer: Answer, memory: Buffer) {
    this.unit = unit;
    this.#answer = answer;
    this.#output = new PackOutput(unit, task, answer, memory);
    this.#known = task.known.length === 0 ? undefined : UnitContents.open(task.known);
    this.#reader = new EntryReader(new ContentStore(this.#output, this.#known));
  }

  /** Reads a batch: its frames and one answer go out. */
  read(number: number, batch: Batch): void {
    this.#answerWith(number, () => {
      const results = new ReadEntriesBuilder(batch.names.length);
      this.#reader.read(batch, results);
      return (tarBytes) => {
        const { entries, transfer } = results.finish();
        this.#answer({ type: 'done', unit: this.unit, number, entries, tarBytes }, transfer);
      };
    });
  }

  /** The same for a stream. */
  readStream(number: number, stream: StreamOrder): void {
    this.#answerWith(number, () => {
      const stored = new StreamWriter(this.#output, this.#known).store(stream);
      return (tarBytes) => this.#answer({ type: 'streamed', unit: this.unit, number, stored, tarBytes }, []);
    });
  }

  /** Does work whose answer, which `work` returns, is sent when all its frames are on their way. */
  #answerWith(number: number, work: () => (tarBytes: number) => void): void {
    try {
      if (this.#failure !== undefined) throw this.#failure;
      const { frames } = this.#output;
      this.#output.closeFullPack();
      const before = frames.added;
      const tell = work();
      frames.flush();
      this.#output.reportRead(0);
      tell(frames.added - before);
    } catch (error) {
      this.#failure = error;
      this.#answer(failedAnswer(this.unit, number, error), []);
    }
  }

  /** Lets go of what is open; what is not sent yet never will be. */
  close(): void {
    this.#known?.close();
  }
}

/** The answer to a batch that could not be read. */
export function failedAnswer(unit: number, number: number, error: unknown): Parameters<Answer>[0] {
  const { code, message } = asFailure(error);
  return { type: 'failed', unit, number, code, message };
}
