import type { SFTPWrapper } from 'ssh2';
import { whileWanted } from '../operation.ts';
import { strangeAnswer } from './answers.ts';
import type { Session, SftpConnection } from './connection.ts';
import { sftpFailure } from './sftp-failure.ts';

/** A session, and those who wait for an answer on it: all hear when it ends. */
interface OpenSession extends Session {
  readonly waiting: Set<(error: Error) => void>;
  /** When the last answer came, or somebody began to wait (`performance.now`). */
  heard: number;
}

function isNothing(_: unknown): _ is undefined {
  return true;
}

export type Callback<T> = (error: Error | undefined, value: T) => void;

/** Requests to a server, each of which is answered, or fails when the connection ends or nothing is answered for long. */
export class Requests {
  readonly #connection: SftpConnection;
  #current: OpenSession | undefined;

  constructor(connection: SftpConnection) {
    this.#connection = connection;
  }

  /** Whether a session has not ended. */
  isCurrent(sftp: SFTPWrapper): boolean {
    return sftp === this.#current?.sftp;
  }

  /** Sends one request, and looks whether it is answered; rejects also when the connection ends before that. */
  async ask<T>(
    what: string,
    isAnswer: (answer: unknown) => answer is T,
    send: (sftp: SFTPWrapper, answer: Callback<unknown>) => void,
    on?: SFTPWrapper,
  ): Promise<T> {
    const session = await this.#session(what, on);
    const { sftp, socket, waiting } = session;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (waiting.size === 0) {
      socket.ref();
      session.heard = performance.now();
    }
    waiting.add(reject);
    try {
      send(sftp, (error, value) => (error === undefined || error === null ? resolve(value) : reject(error)));
      const answer = await whileWanted((signal) => {
        signal.addEventListener('abort', () => socket.destroy(), { once: true });
        return promise;
      });
      if (!isAnswer(answer)) throw strangeAnswer(what);
      return answer;
    } catch (error) {
      throw sftpFailure(what, error);
    } finally {
      waiting.delete(reject);
      session.heard = performance.now();
      // An idle connection does not keep the program from ending.
      if (waiting.size === 0) socket.unref();
    }
  }

  /** Sends a request that is answered with nothing but whether it was done. */
  tell(what: string, send: (sftp: SFTPWrapper, done: (error?: Error | null) => void) => void, on?: SFTPWrapper): Promise<void> {
    return this.ask(what, isNothing, (sftp, answer) => send(sftp, (error) => answer(error ?? undefined, undefined)), on);
  }

  /** The session as it is now, or the one that a file was opened on: when that has ended, so has the file. */
  async #session(what: string, on: SFTPWrapper | undefined): Promise<OpenSession> {
    if (on !== undefined) {
      if (this.#current?.sftp === on) return this.#current;
      throw sftpFailure(what, new Error('the connection was closed'));
    }
    const { sftp, socket } = await this.#connection.session();
    if (this.#current?.sftp === sftp) return this.#current;
    const waiting = new Set<(error: Error) => void>();
    const session: OpenSession = { sftp, socket, waiting, heard: performance.now() };
    this.#current = session;
    const { unanswered } = this.#connection.waits;
    const watch = setInterval(() => {
      if (waiting.size > 0 && performance.now() - session.heard > unanswered) socket.destroy();
    }, unanswered / 4).unref();
    sftp.once('close', () => {
      clearInterval(watch);
      if (this.#current === session) this.#current = undefined;
      for (const reject of waiting) reject(new Error('the connection was closed'));
    });
    return session;
  }
}
