import { Failure } from '../../failure.ts';
import type { ChildWatch } from '../child.ts';

/** A session of a server that can answer one question after the other. */
export interface Session {
  /** False: it was closed, or broke off. */
  readonly isOpen: boolean;
  close(): Promise<void>;
  /** Ends it at once, with what it is doing. */
  breakOff(): void;
}

/**
 * Sessions of one server: as many as there are questions at a time, each kept for the next question. So one that hangs, as on a lock that
 * somebody holds, delays no other.
 */
export class SessionPool<S extends Session> {
  readonly #open: () => Promise<S>;
  readonly #idle: S[] = [];

  constructor(open: () => Promise<S>) {
    this.#open = open;
  }

  /** Throws `database_unreachable` for whatever the server says, and for an answer that does not come in time. */
  async ask<A>(question: (session: S) => Promise<A>, watch: ChildWatch): Promise<A> {
    const kept = this.#idle.pop();
    try {
      if (kept !== undefined) return await this.#answer(kept, question, watch);
    } catch (error) {
      // The server may have closed it meanwhile, or was started anew.
      if (kept?.isOpen === true || watch.signal.aborted) throw error;
    }
    return await this.#answer(undefined, question, watch);
  }

  /** No question is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
  }

  async #answer<A>(kept: S | undefined, question: (session: S) => Promise<A>, { timeLimit, signal }: ChildWatch): Promise<A> {
    let session = kept;
    let isGivenUp = false;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const giveUp = (why: string): void => {
      isGivenUp = true;
      reject(new Failure('database_unreachable', why, { retry: true }));
      session?.breakOff();
    };
    const onAbort = (): void => giveUp('it was stopped');
    const timer = setTimeout(() => giveUp('the server does not answer'), timeLimit);
    signal.addEventListener('abort', onAbort);
    const answered = async (): Promise<A> => {
      session ??= await this.#open();
      if (isGivenUp) session.breakOff();
      return await question(session);
    };
    try {
      if (signal.aborted) onAbort();
      const answer = await Promise.race([answered(), ended]);
      if (session?.isOpen === true) this.#idle.push(session);
      return answer;
    } catch (error) {
      // What it was set to is not known any more.
      if (session?.isOpen === true && !isGivenUp) await session.close();
      throw error instanceof Failure ? new Failure('database_unreachable', error.message, { retry: true, cause: error }) : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
