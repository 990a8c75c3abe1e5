import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A server that answers as it is told; the last answer is given again and again. */
export class Script {
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;
  answers: Answer[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => {
        const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
        answer?.(request, response, Buffer.concat(chunks));
      });
    });
  }

  static async start(): Promise<Script> {
    const script = new Script();
    await new Promise<void>((resolve) => script.#server.listen(0, '127.0.0.1', resolve));
    return script;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(body);
  };
export const error = (code: number, name: string): Answer =>
  status(code, { 'content-type': 'application/xml' }, `<?xml version="1.0"?><Error><Code>${name}</Code><Message>no</Message></Error>`);
export const listing = (inner: string): Answer =>
  status(
    200,
    { 'content-type': 'application/xml' },
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${inner}</ListBucketResult>`,
  );
export const reset: Answer = (request) => request.socket.destroy();
export const never: Answer = () => {};
