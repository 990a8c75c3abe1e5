import type { Readable, Writable } from 'node:stream';
import type { Methods } from '../commands/registry.ts';
import type { Context, Reporter } from '../context/context.ts';
import type { Interruption } from '../context/interruption.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import { isLong } from '../schemas/jobs.ts';
import type { MethodName } from '../schemas/messages.ts';
import { dispatch, isAccepted } from './dispatch.ts';
import { type Line, readLines } from './framing.ts';
import { parseRequest, RPC_ERRORS, type RpcRequest } from './message.ts';
import { MessageWriter } from './message-writer.ts';

export interface Session {
  readonly methods: Methods;
  readonly input: Readable;
  readonly output: Writable;
  readonly interruption: Interruption;
  openContext(reporter: Reporter, method: string): Context;
}

const REFUSED_LINES: Record<Exclude<Line['kind'], 'line'>, string> = {
  'too-long': 'the line is too long',
  unfinished: 'the input ended in the middle of a line',
};

/** So many requests of a kind wait for the one that is carried out; then nothing more is read. */
const MOST_WAITING = 8;

/** What is answered from this server's memory, whatever else is under way: how that stands, and that it is to stop. */
const AT_ONCE: ReadonlySet<string> = new Set<MethodName>(['version', 'job', 'jobs', 'log', 'cancel']);

/** Requests that are carried out one after the other. */
class RequestQueue {
  /** Settles when all that was added is done. */
  end = Promise.resolve();
  #waiting = 0;

  /** Resolves when more may be added. */
  async add(action: () => Promise<void>): Promise<void> {
    this.#waiting++;
    this.end = this.end.then(action).finally(() => this.#waiting--);
    if (this.#waiting > MOST_WAITING) await this.end;
  }
}

/**
 * Answers requests until the input ends, and returns the exit code: 0 at the end of the input, 1 when the peer stopped reading, 128 + the signal
 * after one. There are three kinds: what takes long, what is answered at once, and all else, which may have to search or to wait for a store. A
 * request holds up others of its kind alone. One that is running when the signal comes is cancelled, and answered.
 */
export async function serve(session: Session): Promise<number> {
  const { input, interruption } = session;
  let peerLost = false;
  const writer = new MessageWriter(session.output, interruption.signal, () => {
    peerLost = true;
    interruption.stop();
  });
  const peer = { methods: session.methods, writer, openContext: session.openContext };
  // Wakes the loop below when it waits for a line; a running request notices the abort by itself.
  interruption.signal.addEventListener('abort', () => input.destroy());
  const long = new RequestQueue();
  const others = new RequestQueue();
  const carryOut = async (request: RpcRequest): Promise<void> => {
    if (AT_ONCE.has(request.method) || !isAccepted(peer, request)) return await dispatch(peer, request);
    if (isLong(request.method)) return await long.add(() => dispatch(peer, request));
    await others.add(async () => {
      if (interruption.signal.aborted) return;
      await dispatch(peer, request);
      await writer.drained();
    });
  };
  try {
    for await (const line of readLines(input)) {
      if (interruption.signal.aborted) break;
      if (line.kind !== 'line') {
        writer.error(null, { code: RPC_ERRORS.parseError, message: REFUSED_LINES[line.kind] });
      } else if (line.bytes.length > 0) {
        const request = parseRequest(line.bytes);
        if ('error' in request) writer.error(request.id, request.error);
        else await carryOut(request);
      }
      // Whoever does not read the answers gets no further ones made.
      await writer.drained();
    }
  } catch (error) {
    // Destroying the input ends the loop this way.
    if (!interruption.signal.aborted) throw error;
  }
  await Promise.all([long.end, others.end]);
  await writer.flush();
  return interruption.exitCode() ?? (peerLost ? EXIT.failed : EXIT.ok);
}
