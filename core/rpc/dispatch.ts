import type { Methods } from '../commands/registry.ts';
import type { Context, Reporter } from '../context/context.ts';
import { onProgressRequest } from '../context/progress-request.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { type RequestId, RPC_ERRORS, type RpcError, type RpcRequest } from './message.ts';
import type { MessageWriter } from './message-writer.ts';
import { NotifyingReporter } from './notifying-reporter.ts';

export interface Peer {
  readonly methods: Methods;
  readonly writer: MessageWriter;
  openContext(reporter: Reporter, method: string): Context;
}

/** Why a request cannot be begun, undefined when it can. Nothing has been changed by then. */
function refusal(methods: Methods, { method, params }: RpcRequest): RpcError | undefined {
  const known = methods.get(method);
  if (known === undefined) {
    return {
      code: RPC_ERRORS.methodNotFound,
      message: `there is no method ${JSON.stringify(method)}`,
      data: { methods: [...methods.keys()] },
    };
  }
  const problem = known.check(params);
  return problem && { code: RPC_ERRORS.invalidParams, message: problem.message, data: { path: problem.path } };
}

/** Whether a request will be carried out. */
export function isAccepted({ methods }: Pick<Peer, 'methods'>, request: RpcRequest): boolean {
  return request.id !== undefined && refusal(methods, request) === undefined;
}

async function perform(peer: Peer, id: RequestId, { method, params }: RpcRequest): Promise<void> {
  const reporter = new NotifyingReporter(peer.writer, id);
  const stopReporting = onProgressRequest(() => reporter.report());
  try {
    const result = await peer.methods.get(method)?.perform(params, peer.openContext(reporter, method));
    reporter.finish();
    peer.writer.result(id, result);
  } catch (error) {
    reporter.finish();
    const data = toWireError(error);
    peer.writer.error(id, { code: RPC_ERRORS.commandFailed, message: data.message, data });
  } finally {
    stopReporting();
  }
}

/**
 * Answers one request. A notification is not carried out: nobody would learn what became of it; a `log` notification
 * says so.
 */
export async function dispatch(peer: Peer, request: RpcRequest): Promise<void> {
  const { id, method } = request;
  if (id === undefined) {
    peer.writer.notify('log', {
      request: null,
      level: 'warning',
      code: 'usage',
      message: `${method}: a request without id is not carried out`,
    });
    return;
  }
  const error = refusal(peer.methods, request);
  if (error === undefined) await perform(peer, id, request);
  else peer.writer.error(id, error);
}
