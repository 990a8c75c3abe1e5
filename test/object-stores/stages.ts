import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { S3Backend } from '../../core/repository/backends/s3/s3.ts';
import { S3Store } from '../../core/repository/backends/s3/store.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { BadNetwork, type Stage } from './bad-network.ts';

const PATIENT: Patience = { first: 1, longest: 50, total: 120_000, quiet: 120_000 };
const QUICK: Patience = { ...PATIENT, total: 0 };
/** In milliseconds: longer than the store ever takes to answer. */
const SOON = 1500;
const BUCKET = 'stages';

const REQUESTS = {
  'the beginning of an upload': /^POST \S*\?uploads/,
  'a part': /^PUT \S*partNumber=/,
  'the look before the end': /^HEAD /,
  'the end of an upload': /^POST \S*uploadId=/,
  'the end of one that is dropped': /^DELETE \S*uploadId=/,
  'a small object': /^PUT \S*\/small/,
  'a stretch': /^GET \S*\/large/,
  'a listing': /^GET \S*list-type=2/,
  'a removal': /^DELETE \S*\/small/,
} as const;
type Request = keyof typeof REQUESTS;

const ALL = (Object.keys(REQUESTS) as Request[]).flatMap((request) =>
  (['reset', 'stall', 'drip'] as const).flatMap((kind) => (['request', 'answer'] as const).map((lost) => ({ request, kind, lost }))),
);
const SOME: readonly (Pick<Stage, 'kind' | 'lost'> & { readonly request: Request })[] = [
  { request: 'the beginning of an upload', kind: 'reset', lost: 'answer' },
  { request: 'a part', kind: 'reset', lost: 'request' },
  { request: 'the end of an upload', kind: 'reset', lost: 'answer' },
  { request: 'a small object', kind: 'stall', lost: 'answer' },
  { request: 'a removal', kind: 'reset', lost: 'answer' },
];

/** A store of S3 behind a network that breaks off at each kind of request. */
export function stagesInStore(place: () => { readonly port: number; readonly credentialsFile: string }): void {
  describe('over a network that breaks off at a request', () => {
    let network: BadNetwork;
    let count = 0;

    before(async () => {
      network = await BadNetwork.start(place().port, 0);
      await open('', PATIENT).prepare();
    });
    after(() => network.stop());

    function open(prefix: string, patience: Patience, connections = 16): StoreBackend {
      const location = { kind: 's3', endpoint: `http://127.0.0.1:${network.port}`, bucket: BUCKET, prefix } as const;
      const waits = { connect: SOON, silent: SOON, pace: { within: SOON, bytes: 64 } };
      const store = new S3Store(location, { credentialsFile: place().credentialsFile }, { waits, connections });
      return new StoreBackend(new S3Backend(store, patience), () => Buffer.alloc(0), patience);
    }

    async function write(store: StoreBackend, name: string, bytes: Buffer, isDropped = false): Promise<void> {
      const writer = await store.create(name);
      try {
        await writer.write(bytes);
        if (!isDropped) await writer.commit();
      } finally {
        // What cannot be dropped now is dropped another day.
        await writer.abort().catch(() => {});
      }
    }

    async function story(store: StoreBackend): Promise<void> {
      const large = randomBytes(8 * 1024 * 1024 + 100_000);
      await write(store, 'a/large', large);
      await write(store, 'a/small', large.subarray(0, 1000));
      await write(store, 'a/dropped', large, true);
      expect((await store.read('a/large', 5, 1_000_000)).equals(large.subarray(5, 1_000_005))).to.equal(true);
      const names: string[] = [];
      for await (const { name, size } of store.list('a/')) names.push(`${name} ${size}`);
      expect(names).to.deep.equal([`a/large ${large.length}`, 'a/small 1000']);
      await store.remove('a/small');
      expect(await store.size('a/small')).to.equal(undefined);
      expect((await store.read('a/large')).equals(large)).to.equal(true);
    }

    for (const { request, kind, lost } of process.env.SLOW === '1' ? ALL : SOME) {
      it(`everything is done: ${kind}, the ${lost === 'answer' ? 'answer to' : 'request of'} ${request} lost`, async () => {
        network.stages = [{ at: REQUESTS[request], lost, kind }];
        await story(open(`${++count}`, PATIENT));
        expect(network.stages, 'what did not happen').to.deep.equal([]);
      });
    }

    it('the cause is told when nobody has more patience', async () => {
      for (const kind of ['reset', 'stall', 'drip'] as const) {
        network.stages = [{ at: /^HEAD /, lost: 'answer', kind }];
        expect(await failureOf(() => open('none', QUICK).size('a')), kind).to.include({ code: 'repository_unreachable', retry: true });
      }
    });

    it('no more connections are open than may be, and answers that overtake each other are no others', async () => {
      const bytes = randomBytes(1_000_000);
      await write(open('many', PATIENT), 'a', bytes);
      for (const connections of [3, 8]) {
        const other = await BadNetwork.start(place().port, () => Math.random() * 30);
        try {
          const location = { kind: 's3', endpoint: `http://127.0.0.1:${other.port}`, bucket: BUCKET, prefix: 'many' } as const;
          const store = new S3Backend(new S3Store(location, { credentialsFile: place().credentialsFile }, { connections }));
          const offsets = Array.from({ length: 40 }, (_, number) => number * 20_000);
          const stretches = await Promise.all(offsets.map((offset) => store.read('a', offset, 20_000)));
          for (const [number, offset] of offsets.entries()) {
            expect(stretches[number]?.equals(bytes.subarray(offset, offset + 20_000)), `${offset}`).to.equal(true);
          }
          expect(other.most).to.equal(connections);
        } finally {
          other.stop();
        }
      }
    });
  });
}
