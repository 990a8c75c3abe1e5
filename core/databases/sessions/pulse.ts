import { connect, type NetConnectOpts } from 'node:net';

/** Where a server is knocked at, what is said there, if anything, and what comes of it from one that lives: anything. */
export interface Door {
  readonly at: NetConnectOpts;
  readonly words: Buffer | undefined;
}

/** When a server counts as one that hangs, in milliseconds. */
export interface Patience {
  /** So long after a statement was sent, and again and again, it is knocked at. */
  readonly every: number;
  /** So long a knock may stay without an answer. */
  readonly answer: number;
  /** So long nothing may have been answered. */
  readonly silence: number;
}

/** A disk that was slow for some minutes ends nothing. */
export const PATIENCE: Patience = { every: 60_000, answer: 10_000, silence: 10 * 60_000 };

/**
 * Watches a server while a statement is under way, which may take hours: it has to answer others. One that answers nobody for long, such as a stopped one, is
 * given up.
 */
export class Pulse {
  readonly #door: Door;
  readonly #patience: Patience;

  constructor(door: Door, patience: Patience) {
    this.#door = door;
    this.#patience = patience;
  }

  /** @param giveUp ends the session, so that `work` fails */
  async within<T>(work: Promise<T>, giveUp: () => void): Promise<T> {
    const { every, silence } = this.#patience;
    let alive = performance.now();
    let isKnocking = false;
    const timer = setInterval(() => {
      if (isKnocking) return;
      isKnocking = true;
      void knock(this.#door, this.#patience.answer).then((isAnswered) => {
        isKnocking = false;
        if (isAnswered) alive = performance.now();
        else if (performance.now() - alive >= silence) giveUp();
      });
    }, every);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }
}

/** Whether anything comes, be it a refusal. */
function knock({ at, words }: Door, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at);
    const end = (isAnswered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isAnswered);
    };
    const timer = setTimeout(() => end(false), patience);
    // Also when so many wait at its door already that there is no room for one more.
    socket.on('error', () => end(false));
    socket.on('data', () => end(true));
    socket.on('end', () => end(true));
    if (words !== undefined) socket.write(words);
  });
}
