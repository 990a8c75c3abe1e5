import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { passLater } from './distance.ts';

/** What becomes of a connection: it is reset; nothing passes any more, and nobody says so; what comes from the server passes a byte a second. */
export type TroubleKind = 'reset' | 'stall' | 'drip';

/** Of one connection: after so many bytes from the server. */
export interface Trouble {
  readonly after: number;
  readonly kind: TroubleKind;
}

/** Of the next request that fits, of a protocol that is sent in clear, on whichever connection; the request gets lost, or the answer to it. */
export interface Stage {
  readonly at: RegExp;
  readonly lost: 'request' | 'answer';
  readonly kind: TroubleKind;
}

/** A TCP proxy that delays what passes, and resets or stalls connections as it is told; those that nothing is told of pass. */
export class BadNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Of the next connections, one after the other. */
  troubles: Trouble[] = [];
  stages: Stage[] = [];
  /** How many had trouble. */
  count = 0;
  /** What came from the server, in bytes. */
  received = 0;
  /** How many connections were open at a time, at most. */
  most = 0;

  private constructor(port: number, delay: () => number) {
    this.#server = createServer((near) => this.#join(near, connect(port, '127.0.0.1'), delay()));
  }

  /** Before a server on loopback; each way takes `delay` milliseconds, or for each connection what it returns: so answers overtake each other. */
  static async start(port: number, delay: number | (() => number)): Promise<BadNetwork> {
    const network = new BadNetwork(port, typeof delay === 'number' ? () => delay : delay);
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
    this.most = Math.max(this.most, this.#sockets.size / 2);
    let trouble = this.troubles.shift();
    let kind: TroubleKind | undefined;
    const begin = (what: TroubleKind): void => {
      this.count++;
      kind = what;
      if (what !== 'reset') return;
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    passLater(near, far, delay, 0, (piece) => {
      if (kind === 'reset' || kind === 'stall') return false;
      const index = this.stages.findIndex(({ at }) => at.test(piece.toString('latin1', 0, 4096)));
      const [stage] = index < 0 ? [] : this.stages.splice(index, 1);
      if (stage?.lost === 'request') begin(stage.kind);
      else if (stage !== undefined) trouble = { after: 1, kind: stage.kind };
      return kind === undefined || kind === 'drip';
    });
    let passed = 0;
    passLater(far, near, delay, 0, (piece) => {
      if (kind === undefined && trouble !== undefined) {
        passed += piece.length;
        if (passed >= trouble.after) begin(trouble.kind);
      }
      if (kind === 'drip') this.#drip(piece, near, far);
      if (kind !== undefined) return false;
      this.received += piece.length;
      return true;
    });
  }

  #drip(piece: Buffer, near: Socket, far: Socket): void {
    far.pause();
    let at = 0;
    const timer = setInterval(() => {
      near.write(piece.subarray(at, ++at));
      if (at < piece.length) return;
      clearInterval(timer);
      far.resume();
    }, 1000);
    near.on('close', () => clearInterval(timer));
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
