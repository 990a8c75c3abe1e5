import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Location } from '../../../config/location.ts';
import type { Settings } from '../../../config/settings-type.ts';
import { Failure } from '../../../failure.ts';
import { trustAuthoritiesOf } from '../../../linux/authorities.ts';
import type { LeastPace } from '../connection-watch.ts';
import { whileWanted } from '../operation.ts';
import { boundAnswers } from './bounded-answers.ts';
import { type Credentials, NO_FILE, readCredentials } from './credentials.ts';
import { countRequests } from './request-count.ts';
import { digestLocks } from './request-digest.ts';
import { s3Failure } from './s3-failure.ts';
import { S3Client as Client, NodeHttpHandler } from './sdk.ts';
import { watchedAgents } from './watched-agent.ts';

export type S3Location = Extract<Location, { kind: 's3' }>;
export type S3Settings = Settings['s3'];

/** How long is waited for a store, in milliseconds. */
export interface Waits {
  readonly connect: number;
  /** A connection on which nothing comes or goes for so long is given up. */
  readonly silent: number;
  /** So is one that carries less than this; left out: than is usual. */
  readonly pace?: LeastPace;
}

const USUAL_WAITS: Waits = { connect: 10_000, silent: 60_000 };
/** What many stores call the region that they do not have. */
const USUAL_REGION = 'us-east-1';
const USUAL_CONNECTIONS = 16;

/** How a store is reached. */
export interface Manner {
  readonly waits?: Waits;
  /** At a time, at most. */
  readonly connections?: number;
}

/** Ends requests that are not worth waiting for any more. */
class EndingHandler extends NodeHttpHandler {
  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    return whileWanted((abortSignal) => super.handle(request, { ...options, abortSignal }));
  }
}

/** One bucket of a store, and the beginning of the names in it that are the repository's. */
export class S3Store {
  readonly bucket: string;
  /** Empty, or ends with `/`. */
  readonly prefix: string;
  readonly description: string;
  readonly options: S3Settings;
  /** Whether "only if there is none of this name" is known there, as far as was seen. Without it somebody looks before. */
  takesConditions = true;
  readonly #endpoint: string;
  readonly #waits: Waits;
  readonly #connections: number;
  #client: Promise<S3Client> | undefined;

  constructor(location: S3Location, options: S3Settings, { waits = USUAL_WAITS, connections = USUAL_CONNECTIONS }: Manner = {}) {
    this.#waits = waits;
    this.#connections = connections;
    this.bucket = location.bucket;
    this.prefix = location.prefix === '' ? '' : `${location.prefix}/`;
    this.description = `s3:${location.endpoint}/${location.bucket}${location.prefix === '' ? '' : `/${location.prefix}`}`;
    this.options = options;
    this.#endpoint = location.endpoint;
  }

  /** The name in the bucket of an object of the repository. */
  keyOf(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** Sends one request. `what` is the object or the place that it is about, for messages. */
  async send<Answer>(what: string, request: (client: S3Client) => Promise<Answer>): Promise<Answer> {
    try {
      this.#client ??= this.#connect();
      return await request(await this.#client);
    } catch (error) {
      throw s3Failure(what, error);
    }
  }

  async #connect(): Promise<S3Client> {
    const { region = USUAL_REGION, pathStyle = true, credentialsFile, profile = 'default' } = this.options;
    ignoreEnvironment();
    await trustAuthoritiesOf('/');
    const credentials: Credentials = await readCredentials(credentialsFile, profile);
    const { connect, silent, pace } = this.#waits;
    const client = new Client({
      endpoint: this.#endpoint,
      region,
      forcePathStyle: pathStyle,
      credentials,
      // Repeated by this program itself, which knows what may be repeated.
      maxAttempts: 1,
      followRegionRedirects: false,
      // What is sent has its MD5, which all stores know. Others refuse the header of another sum (Backblaze, OVHcloud).
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new EndingHandler({
        connectionTimeout: connect,
        socketTimeout: silent,
        ...watchedAgents({ keepAlive: true, maxSockets: this.#connections, timeout: silent }, pace),
      }),
    });
    countRequests(client);
    boundAnswers(client);
    digestLocks(client);
    return client;
  }
}

/** The library takes settings from the environment and from files of the `aws` command, which are meant for other buckets, and for some of them connects nowhere. */
function ignoreEnvironment(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env.AWS_CONFIG_FILE = NO_FILE;
  process.env.AWS_SHARED_CREDENTIALS_FILE = NO_FILE;
}

/** The bytes of an answer, which must be `length`: more are not read, fewer are a connection that broke. */
export function bodyOf(what: string, body: Readable, length: number): Promise<Buffer> {
  return whileWanted((signal) => {
    signal.addEventListener('abort', () => body.destroy(new Error('it was not waited for any longer')), { once: true });
    return readBody(what, body, length);
  });
}

async function readBody(what: string, body: Readable, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (filled + chunk.length > length) {
        throw new Failure('repository_unreachable', `${what}: more came than was asked for`, { affected: [what], retry: true });
      }
      filled += chunk.copy(bytes, filled);
    }
  } catch (error) {
    throw s3Failure(what, error);
  } finally {
    body.destroy();
  }
  if (filled < length) {
    const message = `${what}: the connection broke after ${filled} of ${length} bytes`;
    throw new Failure('repository_unreachable', message, { affected: [what], retry: true });
  }
  return bytes;
}
