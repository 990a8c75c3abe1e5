import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { SFTPWrapper } from 'ssh2';
import { parseListing } from '../../../core/repository/backends/rclone/listing.ts';
import { SftpConnection } from '../../../core/repository/backends/sftp/connection.ts';
import { SftpBackend } from '../../../core/repository/backends/sftp/sftp.ts';
import { sftpFailure } from '../../../core/repository/backends/sftp/sftp-failure.ts';
import type { Target } from '../target.ts';

/** The library's parser of what a server answers, without the encrypted connection below it. */
const { SFTP } = createRequire(import.meta.url)('ssh2/lib/protocol/SFTP.js') as {
  SFTP: new (
    client: object,
    channel: object,
    options: object,
  ) => SFTPWrapper & EventEmitter & { push(data: Buffer | null): void; _init(): void };
};

/** An SFTP session on which each request is answered with the next packet of an input, with the number of the request; then it ends. */
class Answers extends SftpConnection {
  readonly #input: Buffer;
  #at = 0;
  #requests = 0;

  constructor(input: Buffer) {
    super({ kind: 'sftp', user: 'u', host: 'h', port: 22, path: '/r' } as never, {} as never);
    this.#input = input;
  }

  override async session(): ReturnType<SftpConnection['session']> {
    const answer = (request: Buffer): void => {
      this.#requests++;
      queueMicrotask(() => this.#answer(sftp, request));
    };
    const protocol = {
      _remoteIdentRaw: Buffer.from('SSH-2.0-OpenSSH_9'),
      channelData: (_: number, data: Buffer) => answer(data),
      channelClose: () => {},
    };
    const channel = {
      type: 'sftp',
      incoming: { id: 0, window: 2 ** 30, packetSize: 2 ** 15, state: 'open' },
      outgoing: { id: 0, window: 2 ** 30, packetSize: 2 ** 15, state: 'open' },
    };
    const sftp = new SFTP({ _protocol: protocol }, channel, {});
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    sftp.once('ready', resolve);
    sftp.on('error', reject);
    sftp.once('close', () => reject(new Error('the connection was closed')));
    promise.catch(() => {});
    this.session = async () => ({ sftp, socket: QUIET as never });
    sftp._init();
    await promise.catch((error) => {
      throw sftpFailure(this.description, error);
    });
    return { sftp, socket: QUIET as never };
  }

  #answer(sftp: InstanceType<typeof SFTP>, request: Buffer): void {
    const rest = this.#input.subarray(this.#at);
    if (rest.length < 5) {
      sftp.push(null);
      sftp.emit('close');
      return;
    }
    const packet = Buffer.from(rest.subarray(0, Math.min(4 + rest.readUInt32BE(0), rest.length)));
    this.#at += packet.length;
    // The first answer, of the versions, has no number.
    if (packet.length >= 9 && request.length >= 9 && request[4] !== 1) request.copy(packet, 5, 5, 9);
    try {
      sftp.push(packet);
    } catch {
      // What the library trips over ends the connection: its client catches it where it reads the socket.
      sftp.emit('close');
      return;
    }
    // What it said was no answer to that: it goes on, until nothing is left of the input.
    const asked = this.#requests;
    setImmediate(() => {
      if (this.#requests === asked) this.#answer(sftp, request);
    });
  }
}

const QUIET = { ref: () => {}, unref: () => {} };

async function useAll(input: Buffer): Promise<void> {
  const backend = new SftpBackend(new Answers(input));
  for await (const { name, size, modified } of backend.list(''))
    if (name === '' || typeof size !== 'number' || typeof modified !== 'number') throw new Error('no object');
  await backend.folders('a');
  await backend.readWhole('a', 65_536);
  await backend.space?.();
}

const uint = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255));
const text = (value: string): Buffer => Buffer.concat([uint(value.length), Buffer.from(value, 'latin1')]);
const packet = (type: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([Buffer.from([type]), ...parts]);
  return Buffer.concat([uint(body.length), body]);
};
const NUMBER = uint(0);
const attributes = (mode: number, size: number): Buffer => Buffer.concat([uint(0x0d), uint(0), uint(size), uint(mode), uint(1), uint(2)]);
const VERSION = packet(2, uint(3), text('statvfs@openssh.com'), text('2'));
const HANDLE = packet(102, NUMBER, text('h'));
const status = (code: number): Buffer => packet(101, NUMBER, uint(code), text('said'), text('en'));
const entry = (name: string, mode: number): Buffer => Buffer.concat([text(name), text(`-rw ${name}`), attributes(mode, 5)]);
const NAMES = packet(104, NUMBER, uint(3), entry('a', 0o100600), entry('b', 0o40700), entry('..', 0o40700));
const listed = Buffer.concat([HANDLE, NAMES, status(1), status(0)]);
const READ = Buffer.concat([packet(105, NUMBER, attributes(0o100600, 5)), HANDLE, packet(103, NUMBER, text('bytes')), status(1)]);
const EMPTY = Buffer.concat([HANDLE, status(1), status(0)]);

const LISTING = [{ Path: 'servers/a', Name: 'a', Size: 5, ModTime: '2026-11-01T02:00:00.000000000Z', IsDir: false }];

/** What places answer that are not this machine. */
export const placeTargets: readonly Target[] = [
  {
    name: 'rclone-listing',
    refuses: ['repository_unreachable'],
    words: ['"Path":', '"Name":', '"Size":', '"ModTime":', '"IsDir":', 'null', '[]', '"..', '-1', '1e400', '"2000-01-01T00:00:00Z"'],
    seeds: () => [JSON.stringify(LISTING), JSON.stringify(LISTING[0]), 'null', '[]'].map((each) => Buffer.from(each)),
    run: (input) => {
      for (const { Name, Size, ModTime } of parseListing(input, 'a place') ?? []) {
        if (Name.includes('/') || !Number.isSafeInteger(Size) || !(Date.parse(ModTime) <= Number.MAX_SAFE_INTEGER))
          throw new Error('taken');
      }
    },
  },
  {
    name: 'sftp-answers',
    refuses: ['repository_unreachable', 'repository_refused', 'repository_damaged', 'io_error'],
    words: ['\0\0\0\x01', '\xff\xff\xff\xff', '\0\0\0\x0d', 'statvfs@openssh.com'],
    seeds: () => [
      Buffer.concat([VERSION, listed, EMPTY, listed, READ, status(8)]),
      Buffer.concat([VERSION, status(2), status(2), status(2)]),
      Buffer.concat([VERSION, status(3)]),
      Buffer.concat([VERSION, EMPTY, EMPTY, READ]),
    ],
    run: useAll,
  },
];
