import { Failure } from '../../failure.ts';

const MINUTE = 60_000;

/** Ends statements of a dump that take too long, such as one that sleeps: they would keep the server and all that wait for the restore. */
export class StatementLimit {
  readonly #milliseconds: number;
  readonly #end: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param end ends what the session is doing, by another one */
  constructor(milliseconds: number, end: () => void) {
    this.#milliseconds = milliseconds;
    this.#end = end;
  }

  /** @throws Failure `database_refused` when it was ended for its time */
  async within<T>(statement: () => Promise<T>): Promise<T> {
    let isOver = false;
    this.#timer = setTimeout(() => {
      isOver = true;
      this.#end();
    }, this.#milliseconds);
    try {
      return await statement();
    } catch (error) {
      if (!isOver) throw error;
      throw new Failure('database_refused', `a statement took longer than ${this.#milliseconds / MINUTE} minutes and was ended`, {
        advice: 'Where a table is that large, set `statementLimit` of `databases` higher.',
        cause: error,
      });
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** The statement goes on: its time begins anew. */
  goesOn(): void {
    this.#timer?.refresh();
  }
}
