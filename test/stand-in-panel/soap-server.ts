import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { FakePanel } from './fake-panel.ts';

export interface SoapCalls {
  /** The key of a site, or of the administrator. */
  readonly key: string;
  /** A mapping of types in the WSDL (`Wsdl::MAPPINGS`); without one the client uses no WSDL. */
  readonly mapping?: string;
  /** Of HTTP. */
  readonly headers?: string;
  readonly calls: readonly (readonly [method: string, args: readonly unknown[]])[];
  readonly repeat?: boolean;
}

export interface SoapAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: what a command answered, as the tests know it
  readonly result?: any;
  readonly fault?: string;
}

const ANSWERS_WITHIN = 10_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The panel's SOAP service: real HTTP, PHP's own SoapServer, five workers of the broker behind it. */
export class SoapServer {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(url: string, process: ChildProcess, environment: NodeJS.ProcessEnv) {
    this.url = url;
    this.#process = process;
    this.#environment = environment;
  }

  /** Starts it for keys by name: `siteN`, or null for the administrator. */
  static async start(panel: FakePanel, keys: Readonly<Record<string, string | null>>): Promise<SoapServer> {
    const { home } = panel.panel;
    writeFileSync(join(home, 'keys.json'), JSON.stringify(keys));
    const port = await freePort();
    const process = spawn(join(home, 'bin/soap-server'), [String(port)], { stdio: 'ignore', env: panel.environment });
    const url = `http://127.0.0.1:${port}`;
    for (const end = Date.now() + ANSWERS_WITHIN; ; await sleep(20)) {
      const isThere = await fetch(`${url}/apnscp-any.wsdl`)
        .then((answer) => answer.ok)
        .catch(() => false);
      if (isThere) return new SoapServer(url, process, panel.environment);
      if (Date.now() > end || process.exitCode !== null) throw new Error('the SOAP server does not answer');
    }
  }

  location(key: string, mapping = 'any'): string {
    return `${this.url}/soap?authkey=${key}&mapping=${mapping}`;
  }

  /** Calls with PHP's SoapClient. */
  async client({ key, mapping, ...job }: SoapCalls): Promise<SoapAnswer[]> {
    const wsdl = mapping === undefined ? null : `${this.url}/apnscp-${mapping}.wsdl`;
    const { stdout } = await execa(join(import.meta.dirname, 'fixtures/soap-client'), {
      input: JSON.stringify({ wsdl, location: this.location(key, mapping), ...job }),
      env: this.#environment,
    });
    return JSON.parse(stdout);
  }

  /** Posts an envelope as it is. */
  async post(key: string, body: string, init: RequestInit = {}): Promise<string> {
    const envelope = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>${body}</Body></Envelope>`;
    const headers = { 'content-type': 'text/xml', soapaction: 'urn:net.apnscp.soap' };
    return (await fetch(this.location(key), { method: 'POST', body: envelope, headers, ...init })).text();
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
