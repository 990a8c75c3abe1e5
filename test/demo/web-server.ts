import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { PrivateServer } from '../databases/private-server.ts';

/** Where the documents are for PHP: the account's user need not be able to reach the folder of the demo. */
const DOCUMENTS = '/mnt';
/** Enough that WordPress can ask itself something while it answers. */
const WORKERS = 4;

export interface Page {
  readonly status: number;
  readonly text: string;
}

/** PHP's own web server on an account's documents, as the account's user; gone when the demo is, however that ends. */
export class WebServer {
  readonly #site: VirtualSite;
  readonly #group: string;
  readonly #origin: string;
  readonly #server: PrivateServer;

  private constructor(site: VirtualSite, group: string, port: number) {
    this.#site = site;
    this.#group = group;
    this.#origin = `http://127.0.0.1:${port}`;
    // Without a cache, which would not see for two seconds that a file was damaged.
    const listen = ['-d', 'display_errors=0', '-d', 'opcache.enable=0', '-S', `127.0.0.1:${port}`, '-t', DOCUMENTS];
    const command = this.#command(['env', `PHP_CLI_SERVER_WORKERS=${WORKERS}`, 'php', ...listen]);
    this.#server = new PrivateServer(
      'root',
      () => command,
      () => this.get('/wp-includes/version.php'),
    );
  }

  /** @param group one more that PHP is in, which lets it reach the database's socket */
  static async start(site: VirtualSite, group: string): Promise<WebServer> {
    const server = new WebServer(site, group, await freePort());
    await server.#server.start();
    return server;
  }

  /** Asks for a page; a redirection is an answer too. */
  async get(path: string): Promise<Page> {
    return await this.#ask(path, {});
  }

  /** Sends a form. */
  async post(path: string, fields: Readonly<Record<string, string>>): Promise<Page> {
    return await this.#ask(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  /** Runs a script among the documents as the server would, but by PHP's command line. */
  async runScript(file: string, ...words: string[]): Promise<void> {
    const [program, ...rest] = this.#command(['php', '--', ...words]);
    await execa(program!, rest, { inputFile: file });
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async #ask(path: string, request: RequestInit): Promise<Page> {
    const response = await fetch(this.#origin + path, { ...request, redirect: 'manual' });
    return { status: response.status, text: await response.text() };
  }

  /** What runs a command as the account's user, at its documents. Nothing that it starts outlives it. */
  #command(command: readonly string[]): string[] {
    const { uid, gid, fst } = this.#site;
    return [
      ...['unshare', '--mount', '--pid', '--fork', '--kill-child'],
      ...['sh', '-c', `mount --bind "$1" ${DOCUMENTS} && cd ${DOCUMENTS} && shift && exec "$@"`, 'sh', join(fst, 'var/www/html')],
      ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, `--groups=${this.#group}`, '--no-new-privs', '--pdeathsig=KILL'],
      ...command,
    ];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
