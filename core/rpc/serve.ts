import type { Readable, Writable } from 'node:stream';
import type { Methods } from '../commands/registry.ts';
import type { Context, Reporter } from '../context/context.ts';
import type { Interruption } from '../context/interruption.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import { isLong } from '../schemas/jobs.ts';
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

/** So many requests that take long wait for the one that is carried out; then nothing more is read. */
const MOST_WAITING = 8;

/**
 * Answers requests one after the other until the input ends, and returns the exit code: 0 at the end of the input, 1 when
 * the peer stopped reading, 128 + the signal after one. What takes long holds up others of its kind alone. A request that is running when the
 * signal comes is cancelled, and answered.
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
  let long = Promise.resolve();
  let waiting = 0;
  const carryOut = async (request: RpcRequest): Promise<void> => {
    if (!isLong(request.method) || !isAccepted(peer, request)) return await dispatch(peer, request);
    waiting++;
    long = long.then(() => dispatch(peer, request)).finally(() => waiting--);
    if (waiting > MOST_WAITING) await long;
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
  await long;
  await writer.flush();
  return interruption.exitCode() ?? (peerLost ? EXIT.failed : EXIT.ok);
}
