import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { SftpConnection } from '../../core/repository/backends/sftp/connection.ts';
import { SftpBackend } from '../../core/repository/backends/sftp/sftp.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { SshServer } from './ssh-server.ts';

const BETWEEN = join(import.meta.dirname, 'sftp-between.mjs');
const PATIENT: Patience = { first: 1, longest: 20, total: 60_000, quiet: 60_000 };
const QUICK: Patience = { ...PATIENT, total: 0 };
/** In milliseconds. */
const SOON = 1500;
const WAITS = { connect: 20_000, silent: SOON, unanswered: SOON };

interface Order {
  /** Which request. */
  readonly at: string;
  readonly lost?: 'request' | 'answer';
  readonly kind: 'reset' | 'stall' | 'drip' | 'reorder';
}

const REQUESTS = ['open', 'write', 'fsync@openssh.com', 'rename', 'close', 'lstat', 'read', 'opendir', 'readdir', 'mkdir', 'remove'];
const ALL = REQUESTS.flatMap((at) =>
  (['reset', 'stall', 'drip'] as const).flatMap((kind) => (['request', 'answer'] as const).map((lost): Order => ({ at, lost, kind }))),
);
/** One of each kind, and what is worst to lose. */
const SOME: readonly Order[] = [
  { at: 'open', lost: 'answer', kind: 'reset' },
  { at: 'write', lost: 'answer', kind: 'stall' },
  { at: 'fsync@openssh.com', lost: 'request', kind: 'reset' },
  { at: 'rename', lost: 'answer', kind: 'reset' },
  { at: 'rename', lost: 'request', kind: 'stall' },
  { at: 'read', lost: 'answer', kind: 'drip' },
];

describe('an SFTP server that breaks off in the middle', function () {
  this.timeout(60_000);
  let server: SshServer;
  let place: string;
  let orders: string;
  let folder: string;

  before(async () => {
    place = mkdtempSync('/run/sftp-orders-');
    orders = join(place, 'orders');
    server = await SshServer.start('root', () => [], `Subsystem sftp ${process.execPath} ${BETWEEN} ${orders}`);
  });
  after(async () => {
    await server.stop();
    rmSync(place, { recursive: true });
  });

  beforeEach(() => {
    folder = join(server.folder, 'stored');
    mkdirSync(folder);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    rmSync(orders, { force: true });
  });

  function open(patience: Patience): StoreBackend {
    const location = { kind: 'sftp', user: 'root', host: '127.0.0.1', port: server.port, path: folder } as const;
    const settings = { identityFile: server.identityFile, knownHostsFile: server.knownHostsFile };
    return new StoreBackend(new SftpBackend(new SftpConnection(location, settings, WAITS), patience), () => Buffer.alloc(0), patience);
  }

  /** Stores, reads, lists and removes. */
  async function story(store: StoreBackend): Promise<void> {
    const bytes = randomBytes(300_000);
    for (const name of ['a/b/one', 'a/b/two']) {
      const writer = await store.create(name);
      try {
        await writer.write(bytes);
        await writer.commit();
      } finally {
        await writer.abort();
      }
    }
    expect((await store.read('a/b/one', 10_000, 200_000)).equals(bytes.subarray(10_000, 210_000))).to.equal(true);
    const names: string[] = [];
    for await (const { name, size } of store.list('a/')) names.push(`${name} ${size}`);
    expect(names.sort()).to.deep.equal(['a/b/one 300000', 'a/b/two 300000']);
    await store.remove('a/b/two');
    expect(await store.size('a/b/two')).to.equal(undefined);
    expect((await store.readWhole('a/b/one', 300_000)).equals(bytes)).to.equal(true);
  }

  for (const order of process.env.SLOW === '1' ? ALL : SOME) {
    const { at, lost, kind } = order;
    it(`is asked again: ${kind} with the ${lost} of ${at} lost`, async () => {
      writeFileSync(orders, JSON.stringify(order));
      await story(open(PATIENT));
      expect(existsSync(orders), 'the order was not carried out').to.equal(false);
      expect(readdirSync(join(folder, 'a/b')), 'what was stored').to.deep.equal(['.incoming', 'one']);
      expect(readdirSync(join(folder, 'a/b/.incoming')), 'what was not ended').to.deep.equal([]);
    });
  }

  it('may answer in another order than it was asked', async () => {
    writeFileSync(orders, JSON.stringify({ at: 'write', kind: 'reorder' } satisfies Order));
    await story(open(PATIENT));
    expect(existsSync(orders)).to.equal(false);
  });

  it('is given up with the cause when nobody has more patience', async () => {
    for (const kind of ['reset', 'stall', 'drip'] as const) {
      rmSync(join(folder, 'a'), { recursive: true, force: true });
      writeFileSync(orders, JSON.stringify({ at: 'lstat', lost: 'answer', kind } satisfies Order));
      expect(await failureOf(() => open(QUICK).size('a/b/one')), kind).to.include({ code: 'repository_unreachable', retry: true });
    }
  });
});
