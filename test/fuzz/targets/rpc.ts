import { METHODS } from '../../../core/commands/registry.ts';
import { readLines } from '../../../core/rpc/framing.ts';
import { parseRequest } from '../../../core/rpc/message.ts';
import { MESSAGES } from '../../../core/schemas/messages.ts';
import type { Target } from '../target.ts';

/** As the input comes in pieces. */
async function* pieces(input: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; at += length) yield input.subarray(at, at + length);
}

/** What the program makes of each line, up to the point where it would do what it is asked. */
async function answers(input: Buffer, length: number): Promise<string[]> {
  const found: string[] = [];
  for await (const line of readLines(pieces(input, length), 4096)) {
    if (line.kind !== 'line') {
      found.push(line.kind);
      continue;
    }
    const request = parseRequest(line.bytes);
    if ('error' in request) found.push(`${request.error.code} ${JSON.stringify(request.id)}`);
    else {
      const problem = METHODS.get(request.method)?.check(request.params);
      found.push(`${request.method} ${JSON.stringify(problem ?? null)}`);
    }
  }
  return found;
}

const REQUESTS = [
  { jsonrpc: '2.0', id: 1, method: 'version' },
  { jsonrpc: '2.0', id: 'a', method: 'restore', params: { unit: 'site1', paths: [{ path: 'shadow/a' }], to: '/srv/x', at: 'latest' } },
  { jsonrpc: '2.0', id: null, method: 'settings.set', params: { name: 'limits', value: { workers: 2 } } },
  { jsonrpc: '2.0', method: 'run', params: { units: ['site1'], level: 'full' } },
  { jsonrpc: '2.0', id: 2, method: 'find', params: { unit: 'site1', pattern: '*.php', paths: [{ path: 'x', path_b64: 'eA==' }] } },
];

const line = (request: object): string => `${JSON.stringify(request)}\n`;

export const rpcTargets: readonly Target[] = [
  {
    name: 'rpc',
    refuses: [],
    words: [...Object.keys(MESSAGES), '"params":', '"id":', '"jsonrpc":"2.0"', '\n', '[', '{"path_b64":"', '1e999'],
    seeds: () => [
      ...REQUESTS.map((request) => Buffer.from(line(request))),
      ...Object.keys(MESSAGES).map((method) => Buffer.from(line({ jsonrpc: '2.0', id: 1, method, params: { unit: 'site1' } }))),
      Buffer.from(REQUESTS.map(line).join('')),
    ],
    run: async (input) => {
      const whole = await answers(input, Math.max(1, input.length));
      if ((await answers(input, 7)).join('\n') !== whole.join('\n')) throw new Error('another answer when it comes in pieces');
    },
  },
];
