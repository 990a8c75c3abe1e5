import type { Writable } from 'node:stream';
import { jsonLine } from '../commands/json-text.ts';
import type { NotificationName } from '../commands/schemas/messages.ts';
import type { RequestId, RpcError } from './message.ts';

/** The only one who writes to the peer: whole messages, one a line. */
export class MessageWriter {
  readonly #output: Writable;
  #broken = false;

  /** `onBroken` is called once, when the peer can no longer be written to. */
  constructor(output: Writable, onBroken: () => void) {
    this.#output = output;
    output.on('error', () => {
      if (this.#broken) return;
      this.#broken = true;
      onBroken();
    });
  }

  result(id: RequestId, result: unknown): void {
    this.#send({ id, result });
  }

  error(id: RequestId, error: RpcError): void {
    this.#send({ id, error });
  }

  notify(method: NotificationName, params: unknown): void {
    this.#send({ method, params });
  }

  /** Ends when everything is handed to the system, or the peer is gone. */
  async flush(): Promise<void> {
    if (this.#broken) return;
    await new Promise<void>((resolve) => this.#output.write('', () => resolve()));
  }

  #send(message: object): void {
    if (!this.#broken) this.#output.write(jsonLine({ jsonrpc: '2.0', ...message }));
  }
}
