import type { Writable } from 'node:stream';
import { EXIT } from '../schemas/exit-codes.ts';

/**
 * Sees whether the answer of a command reaches whoever asked. A lost reader, a closed terminal or a full disk ends no command in its
 * middle: what it does, it does to its end.
 */
export class AnswerWatch {
  readonly #stream: Writable;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
  }

  /** Whether nothing more can be written. */
  get isLost(): boolean {
    return this.#error !== undefined;
  }

  /**
   * The exit code when everything is written, or could not be. Whoever stopped reading (`| head`) has seen enough, and the command
   * ended as it did; an answer that a disk or a device refused is no success.
   */
  async exitCode(own: number): Promise<number> {
    await new Promise<void>((resolve) => this.#stream.write('', () => resolve()));
    if (this.#error === undefined || this.#error.code === 'EPIPE') return own;
    process.stderr.write(`error: the answer could not be written: ${this.#error.message}\n`);
    return own === EXIT.ok ? EXIT.failed : own;
  }
}
