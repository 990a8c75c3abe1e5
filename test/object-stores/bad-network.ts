import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** What becomes of one connection: after so many bytes from the server it is reset, or nothing comes any more. */
export interface Trouble {
  readonly after: number;
  readonly kind: 'reset' | 'stall';
}

/** A TCP proxy that delays what passes, and resets or stalls connections as it is told; those that nothing is told of pass. */
export class BadNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Of the next connections, one after the other. */
  troubles: Trouble[] = [];
  /** How many had trouble. */
  count = 0;

  private constructor(port: number, delay: number) {
    this.#server = createServer((near) => this.#join(near, connect(port, '127.0.0.1'), delay));
  }

  /** Before a server on loopback; each way takes `delay` milliseconds. */
  static async start(port: number, delay: number): Promise<BadNetwork> {
    const network = new BadNetwork(port, delay);
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(near: Socket, far: Socket, delay: number): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.setNoDelay(true);
    }
    void this.#pass(near, far, delay, undefined);
    void this.#pass(far, near, delay, this.troubles.shift());
  }

  async #pass(from: Socket, to: Socket, delay: number, trouble: Trouble | undefined): Promise<void> {
    let passed = 0;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await wait(delay);
        passed += chunk.length;
        if (trouble !== undefined && passed >= trouble.after) {
          this.count++;
          if (trouble.kind === 'stall') return;
          from.resetAndDestroy();
          to.resetAndDestroy();
          return;
        }
        to.write(chunk);
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
