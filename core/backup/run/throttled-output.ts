import { setTimeout } from 'node:timers/promises';
import { Failure } from '../../failure.ts';
import type { ObjectOutput } from '../../repository/object-output.ts';
import { ByteBucket } from '../../scan/read/byte-bucket.ts';

/** An object on its way into the repository. */
export type StoredOutput = Pick<ObjectOutput, 'write' | 'commit' | 'abort'>;

/** What takes bytes, and is closed in its own way. */
interface Output<Committed> {
  write(chunk: Uint8Array): Promise<void>;
  commit(): Promise<Committed>;
  abort(): Promise<void>;
}

/** What writes objects at a rate in bytes a second; undefined: as fast as can be. */
export function throttledBy(
  sendRate: number | undefined,
  signal: AbortSignal,
): <Committed>(output: Output<Committed>) => Output<Committed> {
  if (sendRate === undefined) return (output) => output;
  const pace = new SendThrottle(sendRate, signal);
  return (output) => pace.hold(output);
}

/** The rate at which a run writes into the repository, all objects together. */
export class SendThrottle {
  readonly #bucket: ByteBucket;
  readonly #signal: AbortSignal;
  readonly #now: () => bigint;
  readonly #wait: (milliseconds: number) => Promise<void>;

  /** `now` is in nanoseconds; the wait ends early when the signal is raised. */
  constructor(
    bytesPerSecond: number,
    signal: AbortSignal,
    now: () => bigint = process.hrtime.bigint,
    wait: (milliseconds: number) => Promise<void> = (milliseconds) => setTimeout(milliseconds, undefined, { signal }).catch(() => {}),
  ) {
    this.#bucket = new ByteBucket(ByteBucket.share(bytesPerSecond));
    this.#signal = signal;
    this.#now = now;
    this.#wait = wait;
  }

  /** The same object, written at this pace. Throws `cancelled` when the signal is raised. */
  hold<Committed>(output: Output<Committed>): Output<Committed> {
    return {
      write: async (chunk) => {
        const { portion } = this.#bucket;
        for (let at = 0; at < chunk.length; at += portion) {
          const part = chunk.subarray(at, at + portion);
          await this.#waitFor(part.length);
          await output.write(part);
        }
      },
      commit: () => output.commit(),
      abort: () => output.abort(),
    };
  }

  async #waitFor(bytes: number): Promise<void> {
    const milliseconds = this.#bucket.take(bytes, this.#now());
    if (milliseconds > 0) await this.#wait(milliseconds);
    if (this.#signal.aborted) throw new Failure('cancelled', 'stopped while it was written to the repository');
  }
}
