import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a server answers: with a status, by sending the caller elsewhere, by saying nothing, or by hanging up. */
export type Answer = number | { readonly location: string } | 'silence' | 'reset';

/** A server of the web that remembers what it was asked, and answers as a test says. */
export class WebSink {
  readonly asked: Asked[] = [];
  /** One answer a request; the last one stays. */
  answers: Answer[] = [200];
  readonly #server: Server;
  readonly #protocol: string;
  readonly #sockets = new Set<Socket>();

  private constructor(tls?: { readonly key: string; readonly cert: string }) {
    this.#protocol = tls === undefined ? 'http' : 'https';
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        this.asked.push({ method, path, headers, body: Buffer.concat(parts).toString() });
        this.#answer(response);
      });
    });
    this.#server = server;
  }

  static async open(tls?: { readonly key: string; readonly cert: string }): Promise<WebSink> {
    const sink = new WebSink(tls);
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  #answer(response: ServerResponse): void {
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer === 'silence') return;
    if (answer === 'reset') return void response.socket?.resetAndDestroy();
    if (typeof answer === 'object') response.writeHead(302, { location: answer.location }).end();
    else response.writeHead(answer ?? 200).end('x'.repeat(100_000));
  }

  /** The address of a place on it. */
  at(path = '/'): string {
    return `${this.#protocol}://localhost:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** A sendmail in the place of the system's, below `systemRoot`, that puts what it is given into files. */
export class MailSink {
  readonly #folder: string;
  readonly #program: string;

  constructor(systemRoot: string) {
    this.#folder = join(systemRoot, 'mails');
    this.#program = join(systemRoot, 'usr/sbin/sendmail');
    mkdirSync(this.#folder);
    mkdirSync(join(systemRoot, 'usr/sbin'), { recursive: true });
    this.works(true);
  }

  works(does: boolean): void {
    const script = does ? `f=$(mktemp ${this.#folder}/XXXXXX); echo "argv: $*" >"$f"; cat >>"$f"` : 'echo "the queue is full" >&2; exit 75';
    writeFileSync(this.#program, `#!/bin/sh\n${script}\n`);
    chmodSync(this.#program, 0o755);
  }

  /** Each mail that was sent: its headers, by their names in small letters, and its text. */
  get mails(): { readonly argv: string; readonly headers: ReadonlyMap<string, string>; readonly text: string }[] {
    return readdirSync(this.#folder).map((name) => {
      const [first = '', ...rest] = readFileSync(join(this.#folder, name), 'utf8').split('\n');
      const mail = rest.join('\n');
      const end = mail.indexOf('\n\n');
      const headers = mail
        .slice(0, end)
        .replaceAll(/\n[ \t]+/g, ' ')
        .split('\n');
      return {
        argv: first.replace('argv: ', ''),
        headers: new Map(headers.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])),
        text: Buffer.from(mail.slice(end + 2), 'base64').toString(),
      };
    });
  }

  /** What was sent since it was asked last. */
  take(): MailSink['mails'] {
    const { mails } = this;
    for (const name of readdirSync(this.#folder)) rmSync(join(this.#folder, name));
    return mails;
  }
}
