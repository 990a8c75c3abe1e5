import type { Socket } from 'node:net';

/** What a connection that is waited for must carry. */
export interface LeastPace {
  /** In milliseconds. */
  readonly within: number;
  /** Both ways together, in bytes. */
  readonly bytes: number;
}

/** 70 bytes a second: nothing that is stored or read would ever end with less. */
export const USUAL_PACE: LeastPace = { within: 120_000, bytes: 8 * 1024 };

/**
 * Ends a connection that is waited for and carries next to nothing: one that gives a byte now and then is never silent, and an answer of a few megabytes would
 * take a month.
 */
export class ConnectionWatch {
  readonly #socket: Socket;
  readonly #pace: LeastPace;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, pace = USUAL_PACE) {
    this.#socket = socket;
    this.#pace = pace;
    socket.on('close', () => this.rest());
  }

  /** Somebody waits for what comes. */
  begin(): void {
    if (this.#timer !== undefined) return;
    const socket = this.#socket;
    let before = carried(socket);
    this.#timer = setInterval(() => {
      const now = carried(socket);
      if (now - before < this.#pace.bytes)
        socket.destroy(new Error(`the connection carried ${now - before} bytes in ${this.#pace.within / 1000} seconds`));
      before = now;
    }, this.#pace.within);
    this.#timer.unref();
  }

  /** Nobody does any more. */
  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function carried({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten;
}
