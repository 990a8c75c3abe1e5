import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { execa } from 'execa';
import { type Ended, MAIN } from '../program.ts';
import { passLater } from './distance.ts';

/** In bits a second. */
export const LINE_RATE = 100_000_000;
const RATE = ['tbf', 'rate', `${LINE_RATE}bit`, 'burst', '64k', 'latency', '100ms'] as const;
/** What the kernel offers to make a line slow: with delay and packets that overtake each other where it has netem, else its rate alone. */
const SHAPES = [['netem', 'delay', '20ms', '5ms', 'reorder', '10%', 'rate', `${LINE_RATE}bit`], RATE] as const;

/** A service of this machine as a host reaches it. */
export interface OfferedPort {
  readonly port: number;
  /** What passed so far, in bytes. */
  readonly sent: number;
  readonly received: number;
}

/**
 * A machine of its own as far as a program can see: a network namespace with one line to this machine, and a host name and a machine id of its own.
 * A service of this machine's loopback is reached at `address` and the port that `offer` gives.
 */
export class NetworkHost {
  readonly #name: string;
  readonly #link: string;
  readonly #number: number;
  readonly #forwarders: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

  private constructor(number: number) {
    this.#number = number;
    this.#name = `apiscp-backup-${process.pid}-${number}`;
    this.#link = `ab${process.pid % 100_000}n${number}`;
  }

  /** `number` tells hosts apart that are there at a time, from 0 to 60. */
  static async start(number: number): Promise<NetworkHost> {
    const host = new NetworkHost(number);
    try {
      await host.#start();
    } catch (error) {
      await host.stop();
      throw error;
    }
    return host;
  }

  /** Of this machine, as the host reaches it. */
  get address(): string {
    return `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}.${4 * this.#number + 1}`;
  }

  get hostName(): string {
    return `host-${this.#number}.test`;
  }

  async #start(): Promise<void> {
    const [name, link] = [this.#name, this.#link];
    const ip = (...args: string[]) => execa('ip', args);
    await ip('netns', 'add', name);
    // ip-netns(8): what is here stands over /etc in that namespace.
    mkdirSync(`/etc/netns/${name}`, { recursive: true });
    writeFileSync(`/etc/netns/${name}/machine-id`, `${String(this.#number + 1).padStart(32, '0')}\n`);
    await ip('link', 'add', `${link}a`, 'type', 'veth', 'peer', 'name', `${link}b`, 'netns', name);
    await ip('address', 'add', `${this.address}/30`, 'dev', `${link}a`);
    await ip('link', 'set', `${link}a`, 'up');
    const other = this.address.replace(/\d+$/, String(4 * this.#number + 2));
    await ip('-n', name, 'address', 'add', `${other}/30`, 'dev', `${link}b`);
    await ip('-n', name, 'link', 'set', `${link}b`, 'up');
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }

  /** Makes the line slow in both directions, with `rate` by its rate alone; says by what. */
  async shape(how: 'rate' | 'whatever' = 'whatever'): Promise<string> {
    let refused: unknown;
    for (const shape of how === 'rate' ? [RATE] : SHAPES) {
      try {
        await execa('tc', ['qdisc', 'add', 'dev', `${this.#link}a`, 'root', ...shape]);
        await execa('tc', ['-n', this.#name, 'qdisc', 'add', 'dev', `${this.#link}b`, 'root', ...shape]);
        return shape[0];
      } catch (error) {
        refused = error;
      }
    }
    throw refused;
  }

  /** Cuts the line, or mends it: what is sent meanwhile is lost. */
  async cut(isCut: boolean): Promise<void> {
    await execa('ip', ['link', 'set', `${this.#link}a`, isCut ? 'down' : 'up']);
  }

  /** Lets the host reach a port of this machine's loopback, each way so many milliseconds later; the port is one of `address`. */
  async offer(port: number, delay = 0): Promise<OfferedPort> {
    const sockets = new Set<Socket>();
    const passed = { port: 0, sent: 0, received: 0 };
    const server = createServer((socket) => {
      const inner = connect(port, '127.0.0.1');
      for (const each of [socket, inner]) {
        sockets.add(each);
        each.setNoDelay(true);
        each.on('error', () => {});
        each.on('close', () => sockets.delete(each));
      }
      // The beginning of a connection takes a way there and back of its own.
      passLater(socket, inner, delay, 2 * delay, ({ length }) => {
        passed.sent += length;
        return true;
      });
      passLater(inner, socket, delay, 0, ({ length }) => {
        passed.received += length;
        return true;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, this.address, resolve));
    this.#forwarders.push({ server, sockets });
    passed.port = (server.address() as { port: number }).port;
    return passed;
  }

  /** A command line that runs there. */
  there(program: string, args: readonly string[]): { readonly program: string; readonly args: readonly string[] } {
    return { program: 'ip', args: ['netns', 'exec', this.#name, program, ...args] };
  }

  /** Kills every process of the host at once, as a power failure does. */
  async killAll(): Promise<void> {
    const { stdout } = await execa('ip', ['netns', 'pids', this.#name]);
    for (const id of stdout.split(/\s+/).filter(Boolean)) process.kill(Number(id), 'SIGKILL');
  }

  /** The program as it is started there. */
  async runProgram(...args: string[]): Promise<Ended> {
    const shell = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', this.hostName, process.execPath, MAIN, ...args];
    const [unshare, ...rest] = shell as [string, ...string[]];
    const command = this.there(unshare, rest);
    const { stdout, stderr, exitCode } = await execa(command.program, [...command.args], { reject: false });
    return { stdout, stderr, exitCode };
  }

  async stop(): Promise<void> {
    for (const { server, sockets } of this.#forwarders) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    await execa('ip', ['netns', 'delete', this.#name], { reject: false });
    await execa('ip', ['link', 'delete', `${this.#link}a`], { reject: false });
    rmSync(`/etc/netns/${this.#name}`, { recursive: true, force: true });
  }
}
