/** The error codes of JSON-RPC 2.0 that this program uses, and its own for failed commands. */
export const RPC_ERRORS = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  commandFailed: -32000,
} as const;

export type RequestId = string | number | null;

export interface RpcRequest {
  /** Undefined in a notification, which gets no answer. */
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: unknown;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Why a line is not a request; `id` is the one to answer with. */
export interface Malformed {
  readonly id: RequestId;
  readonly error: RpcError;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isId(value: unknown): value is RequestId {
  return value === null || typeof value === 'string' || typeof value === 'number';
}

/** Reads one line as a JSON-RPC 2.0 request. */
export function parseRequest(bytes: Uint8Array): RpcRequest | Malformed {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    return { id: null, error: { code: RPC_ERRORS.parseError, message: 'the line is not JSON in UTF-8' } };
  }
  const invalid = (message: string, id: RequestId = null): Malformed => ({ id, error: { code: RPC_ERRORS.invalidRequest, message } });
  if (Array.isArray(value)) return invalid('batches are not supported: send one request a line');
  if (typeof value !== 'object' || value === null) return invalid('a request is an object');
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (id !== undefined && !isId(id)) return invalid('id must be a string, a number or null');
  if (jsonrpc !== '2.0') return invalid('jsonrpc must be "2.0"', id);
  if (typeof method !== 'string') return invalid('method must be a string', id);
  return { id, method, params: params ?? {} };
}
