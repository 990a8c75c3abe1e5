import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SigningKey } from '../../core/crypto/ed25519.ts';
import { encodeDocument, repositoryDocument, runDocument, serverDocument } from '../../core/repository/documents.ts';
import { timedIdStart } from '../../core/repository/ids.ts';
import { withSignature } from '../../core/repository/signatures/signed-document.ts';
import { PROGRAM } from '../../core/version.ts';

const DAY = 24 * 60 * 60 * 1000;
const PAGE = 1000;
const REPOSITORY = '0123456789abcdef0123456789abcdef';
const BUCKET = '/fleet/';

/**
 * A store that speaks S3 and holds the backups of many servers, made up when they are asked for: nobody could store those of half a million accounts
 * for a test. The records are what the program writes, signed; of manifests and packs there are names and sizes.
 */
export class GeneratedFleet {
  /** Requests and bytes of answers since `reset`. */
  requests = 0;
  bytes = 0;
  readonly #servers = new Map<string, SigningKey>();
  readonly #units: readonly { readonly name: string; readonly id: string }[];
  readonly #now: number;
  readonly #snapshots: number;
  readonly #runs: number;
  readonly #http: Server;

  private constructor(servers: number, accounts: number, snapshots: number, runs: number) {
    for (let number = 1; number <= servers; number++) this.#servers.set(number.toString(16).padStart(16, '0'), SigningKey.generate());
    const units = Array.from({ length: accounts }, (_, index) => ({ name: `site${index + 1}`, id: `site${index + 1}-0000abcd` }));
    this.#units = units.sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#now = Date.now() - 60 * 60 * 1000;
    this.#snapshots = snapshots;
    this.#runs = runs;
    this.#http = createServer((request, response) => this.#answer(request, response));
    // A machine with much to do must not find its connections closed.
    this.#http.keepAliveTimeout = 600_000;
  }

  /** Each server has so many accounts, each of them so many snapshots, and so many runs recorded, one a day. */
  static async start(servers: number, accounts: number, snapshots: number, runs: number): Promise<GeneratedFleet> {
    const fleet = new GeneratedFleet(servers, accounts, snapshots, runs);
    await new Promise<void>((resolve) => fleet.#http.listen(0, '127.0.0.1', resolve));
    return fleet;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** How many objects there are of each server. */
  get objectsOfServer(): number {
    return 1 + this.#runs + this.#units.length * (1 + 3 * this.#snapshots);
  }

  stop(): void {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  #idOf(daysAgo: number): string {
    return `${timedIdStart(new Date(this.#now - daysAgo * DAY))}-00000001`;
  }

  /** The names and sizes of all objects of a server, in order. */
  *#objects(server: string): Generator<readonly [string, number]> {
    const folder = `servers/${server}`;
    for (let day = this.#runs - 1; day >= 0; day--) yield [`${folder}/runs/${this.#idOf(day)}.json`, this.#runRecord(server, day).length];
    yield [`${folder}/server.json`, this.#serverRecord(server).length];
    const snapshots = Array.from({ length: this.#snapshots }, (_, index) => this.#idOf(this.#snapshots - 1 - index));
    for (const { id } of this.#units) {
      const unit = `${folder}/units/${id}`;
      for (const snapshot of snapshots) yield [`${unit}/manifests/${snapshot}.mf.zst`, 50_000];
      for (const snapshot of snapshots) yield [`${unit}/packs/${snapshot}-0001.tar.zst`, 5_000_000];
      for (const snapshot of snapshots) yield [`${unit}/snapshots/${snapshot}.json`, 2000];
      yield [`${unit}/unit.json`, 400];
    }
  }

  #signed(server: string, name: string, document: Buffer): Buffer {
    return withSignature(document, name, this.#servers.get(server) as SigningKey);
  }

  #serverRecord(server: string): Buffer {
    const machine = server.padStart(64, '0');
    const created = new Date(this.#now - 100 * DAY).toISOString();
    const value = { formatVersion: 1, repository: REPOSITORY, server, name: `host-${Number.parseInt(server, 16)}.test`, machine, created };
    return this.#signed(server, `servers/${server}/server.json`, encodeDocument(serverDocument, value));
  }

  #records = new Map<string, Buffer>();

  #runRecord(server: string, daysAgo: number): Buffer {
    const id = this.#idOf(daysAgo);
    const name = `servers/${server}/runs/${id}.json`;
    // All runs of all servers have the same length; one is made for each that is read.
    const known = this.#records.get(name) ?? (daysAgo > 0 ? this.#records.values().next().value : undefined);
    if (known !== undefined) return known;
    const time = new Date(this.#now - daysAgo * DAY).toISOString();
    const sequence = 1000 - daysAgo;
    const previous = { sequence: sequence - 1, id: this.#idOf(daysAgo + 1), sha256: 'ab'.repeat(32) };
    const bytes = encodeDocument(runDocument, {
      ...{ formatVersion: 1, id, repository: REPOSITORY, server, time, finished: time, status: 'ok' },
      units: this.#units.map(({ name: unit, id: unitId }) => ({
        ...{ name: unit, unit: unitId, outcome: 'ok' as const, time, snapshot: { id, sha256: 'cd'.repeat(32) } },
        ...{ warningCount: 0, complete: true, size: 123_456_789, failure: null },
      })),
      ...{ whole: true, verified: { oldest: time, damaged: [] }, log: { sequence, previous, standing: true }, tool: PROGRAM },
    });
    const signed = this.#signed(server, name, bytes);
    this.#records.set(name, signed);
    if (this.#records.size > 20) this.#records.delete(this.#records.keys().next().value as string);
    return signed;
  }

  #content(name: string): Buffer | undefined {
    if (name === 'repository.json') {
      return encodeDocument(repositoryDocument, { formatVersion: 1, id: REPOSITORY, created: new Date(this.#now).toISOString() });
    }
    const [, server = '', folder, file] = name.split('/');
    if (!this.#servers.has(server)) return undefined;
    if (folder === 'server.json') return this.#serverRecord(server);
    const day = Array.from({ length: this.#runs }, (_, index) => index).find((index) => file === `${this.#idOf(index)}.json`);
    return folder === 'runs' && day !== undefined ? this.#runRecord(server, day) : undefined;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const url = new URL(request.url ?? '', 'http://localhost');
    const body = url.searchParams.get('list-type') === '2' ? this.#listing(url.searchParams) : undefined;
    if (body !== undefined) {
      this.bytes += body.length;
      response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
      return;
    }
    const content = this.#content(decodeURIComponent(url.pathname.slice(BUCKET.length)));
    if (content === undefined) {
      response.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchKey</Code></Error>');
      return;
    }
    this.bytes += request.method === 'HEAD' ? 0 : content.length;
    const headers = { 'content-length': content.length, 'content-range': `bytes 0-${content.length - 1}/${content.length}` };
    response.writeHead(request.method === 'HEAD' ? 200 : 206, headers).end(request.method === 'HEAD' ? undefined : content);
  }

  #listing(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    if (query.get('delimiter') !== null) {
      const names = prefix === 'servers/' ? [...this.#servers.keys()] : this.#units.map(({ id }) => id);
      const folders = names.map((name) => `<CommonPrefixes><Prefix>${prefix}${name}/</Prefix></CommonPrefixes>`);
      return `<ListBucketResult><IsTruncated>false</IsTruncated>${folders.join('')}</ListBucketResult>`;
    }
    const found: string[] = [];
    let last = '';
    for (const [name, size] of this.#objects(prefix.split('/')[1] ?? '')) {
      if (!name.startsWith(prefix) || name <= after) continue;
      if (found.length === PAGE) {
        const more = `<NextContinuationToken>${last}</NextContinuationToken>`;
        return `<ListBucketResult><IsTruncated>true</IsTruncated>${more}${found.join('')}</ListBucketResult>`;
      }
      found.push(
        `<Contents><Key>${name}</Key><LastModified>2026-11-20T03:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
      );
      last = name;
    }
    return `<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}</ListBucketResult>`;
  }
}
