import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { S3Past } from '../../core/repository/backends/s3/past.ts';
import { S3Backend } from '../../core/repository/backends/s3/s3.ts';
import { S3Store } from '../../core/repository/backends/s3/store.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { type Answer, error, Script, status } from './s3-script.ts';

const QUICK: Patience = { first: 1, longest: 4, total: 300, quiet: 5000 };

describe('a store with locks and versions', () => {
  let store: Script;
  let folder: string;
  beforeEach(async () => {
    store = await Script.start();
    folder = mkdtempSync(join(tmpdir(), 'locks-'));
    writeFileSync(join(folder, 'credentials'), '[default]\naws_access_key_id = KEY\naws_secret_access_key = secret\n', { mode: 0o600 });
  });
  afterEach(() => {
    store.stop();
    rmSync(folder, { recursive: true });
  });

  describe('what a store answers about locks', () => {
    const retention = (inner: string): Answer =>
      status(200, { 'content-type': 'application/xml' }, `<?xml version="1.0"?><Retention>${inner}</Retention>`);
    const locked = { mode: 'compliance', until: Date.parse('2027-01-01T00:00:00Z') } as const;
    const locks = () => {
      const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
      const options = { credentialsFile: join(folder, 'credentials'), objectLock: { mode: 'compliance' } } as const;
      const s3 = new S3Backend(new S3Store(location, options, { waits: { connect: 500, silent: 1000 } }), QUICK);
      return { s3, locks: new StoreBackend(s3, () => Buffer.alloc(0), QUICK).locks! };
    };

    it('is believed what it says of an object, and no more', async () => {
      const { locks: asked } = locks();
      store.answers = [retention('<Mode>COMPLIANCE</Mode><RetainUntilDate>2027-01-01T00:00:00.000Z</RetainUntilDate>')];
      expect(await asked.of('a')).to.deep.equal(locked);
      for (const answer of [
        retention(''),
        error(404, 'NoSuchObjectLockConfiguration'),
        error(404, 'ObjectLockConfigurationNotFoundError'),
      ]) {
        store.answers = [answer];
        expect(await asked.of('a')).to.equal('unlocked');
      }
      for (const answer of [error(404, 'NoSuchKey'), error(405, 'MethodNotAllowed')]) {
        store.answers = [answer];
        expect(await asked.of('a')).to.equal('missing');
        expect(await asked.extend('a', locked)).to.equal(false);
      }
      store.answers = [error(404, 'NoSuchBucket')];
      expect(await failureOf(() => asked.of('a'))).to.include({ code: 'repository_missing' });
      store.answers = [status(200, {}, '<html>'), error(503, 'SlowDown')];
      expect(await failureOf(() => asked.of('a'))).to.include({ code: 'repository_unreachable' });
    });

    it('may be refused, which names the right that lacks', async () => {
      const { locks: asked } = locks();
      store.answers = [error(403, 'AccessDenied')];
      const rights = [
        [() => asked.of('a'), 's3:GetObjectRetention'],
        [() => asked.extend('a', locked), 's3:PutObjectRetention'],
        [() => asked.check(), 's3:GetBucketObjectLockConfiguration'],
      ] as const;
      for (const [action, right] of rights) {
        const failure = await failureOf(action as () => Promise<unknown>);
        expect(failure).to.include({ code: 'repository_refused' });
        expect(failure.advice).to.contain(right);
      }
    });

    it('has none in a bucket or store that does not know them', async () => {
      const { locks: asked } = locks();
      const configuration = (inner: string) => status(200, {}, `<ObjectLockConfiguration>${inner}</ObjectLockConfiguration>`);
      const without = [error(404, 'ObjectLockConfigurationNotFoundError'), error(400, 'InvalidRequest'), error(405, 'MethodNotAllowed')];
      for (const answer of [...without, error(501, 'NotImplemented'), configuration('')]) {
        store.answers = [answer];
        const failure = await failureOf(() => asked.check());
        expect([failure.code, failure.message]).to.deep.equal(['repository_refused', failure.message.match(/.*has no object lock.*/)?.[0]]);
      }
      store.answers = [configuration('<ObjectLockEnabled>Enabled</ObjectLockEnabled>')];
      await asked.check();
    });

    it('is told with what it is to compare, and of an object in parts once more when that is whole', async () => {
      const { s3, locks: asked } = locks();
      store.answers = [status(200)];
      await asked.extend('a', locked);
      expect(store.requests[0]?.headers['content-md5']).to.match(/^[A-Za-z0-9+/]{22}==$/);
      expect(store.requests[0]?.url).to.contain('retention');
      store.requests.length = 0;
      store.answers = [status(200, { etag: '"0"' })];
      const small = await s3.create('b');
      await small.write(Buffer.from('x'));
      await small.commit();
      expect(store.requests[0]?.headers).to.include({ 'x-amz-object-lock-mode': 'COMPLIANCE' });
      const until = Date.parse(store.requests[0]?.headers['x-amz-object-lock-retain-until-date'] as string);
      expect((until - Date.now()) / 86_400_000).to.be.within(29.9, 30);
      const answers = [
        status(200, {}, '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'),
        status(200, { etag: '"1"' }),
        status(200, { etag: '"2"' }),
        error(404, 'NoSuchKey'),
        status(200, {}, '<CompleteMultipartUploadResult><ETag>"3"</ETag></CompleteMultipartUploadResult>'),
      ];
      for (const [last, end] of [
        [status(200), 'ok'],
        [error(403, 'AccessDenied'), 'repository_refused'],
      ] as const) {
        store.requests.length = 0;
        store.answers = [...answers, last];
        const large = await s3.create('c');
        await large.write(Buffer.alloc(9 * 1024 ** 2));
        const ended = await large.commit().then(
          () => 'ok',
          ({ code }: { code: string }) => code,
        );
        await large.abort();
        expect(ended).to.equal(end);
        expect(store.requests.at(-1)?.url, 'and nothing is dropped that is whole').to.contain('retention');
      }
    });
  });

  describe('a bucket as it was at a time', () => {
    const AT = Date.parse('2026-11-20T12:00:00Z');
    const past = () => {
      const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
      const s3 = new S3Store(location, { credentialsFile: join(folder, 'credentials') }, { waits: { connect: 500, silent: 1000 } });
      return new StoreBackend(new S3Past(s3, AT, QUICK), () => Buffer.alloc(0), QUICK);
    };
    /** A version of an object, stored so many hours after the time that is looked at. */
    const version = (key: string, id: string, hours: number, size = 5) => element('Version', key, id, hours, `<Size>${size}</Size>`);
    const mark = (key: string, id: string, hours: number) => element('DeleteMarker', key, id, hours, '');
    const element = (name: string, key: string, id: string, hours: number, more: string) =>
      `<${name}><Key>p/${key}</Key><VersionId>${id}</VersionId><LastModified>${new Date(AT + hours * 3_600_000).toISOString()}</LastModified>${more}</${name}>`;
    const page = (inner: string, next?: string): Answer => {
      const more = next === undefined ? '' : `<NextKeyMarker>p/${next}</NextKeyMarker><NextVersionIdMarker>x</NextVersionIdMarker>`;
      const body = `<?xml version="1.0"?><ListVersionsResult><IsTruncated>${next !== undefined}</IsTruncated>${more}${inner}</ListVersionsResult>`;
      return status(200, { 'content-type': 'application/xml' }, body);
    };
    const listed = async (prefix = '') => {
      const found: string[] = [];
      for await (const { name, size } of past().list(prefix)) found.push(`${name} ${size}`);
      return found;
    };

    it('has what was there, and neither what came nor what went since', async () => {
      store.answers = [
        page(version('a', 'a2', 1, 9) + version('a', 'a1', -1) + version('b', 'b1', -5) + mark('b', 'b2', 2), 'b'),
        page(
          version('c', 'c1', 3) +
            version('d', 'd1', -9) +
            mark('d', 'd2', -8) +
            version('e', 'e1', -9, 1) +
            mark('e', 'e2', -8) +
            version('e', 'e3', -7, 2),
        ),
      ];
      expect(await listed()).to.deep.equal(['a 5', 'b 5', 'e 2']);
      expect(new URL(store.requests[1]?.url ?? '', store.endpoint).searchParams.get('key-marker')).to.equal('p/b');
      store.answers = [page(version('same', 's1', -1, 3) + mark('same', 's2', -1) + version('now', 'n1', 0, 4))];
      expect(await listed(), 'of the same moment what can be read').to.deep.equal(['now 4', 'same 3']);
      store.answers = [
        page(`${version('../../elsewhere', 'x', -1)}${version('not/asked', 'y', -1)}<Version><Key>p/asked/no-time</Key></Version>`),
      ];
      expect(await listed('asked/')).to.deep.equal([]);
    });

    it('reads of each object the version of that time', async () => {
      const backend = past();
      store.answers = [
        page(version('a', 'a2', 1, 9) + version('a', 'a1', -1) + version('a.b', 'other', -1), 'a.b'),
        status(206, { 'content-range': 'bytes 0-4/5', 'content-length': '5' }, 'hello'),
      ];
      expect((await backend.read('a', 0, 5)).toString()).to.equal('hello');
      expect(new URL(store.requests[1]?.url ?? '', store.endpoint).searchParams.get('versionId')).to.equal('a1');
      expect(await backend.size('a')).to.equal(5);
      expect(store.requests, 'asked once').to.have.length(2);
      store.answers = [page(mark('b', 'b2', -1) + version('b', 'b1', -2))];
      expect(await backend.size('b')).to.equal(undefined);
      expect(await failureOf(() => backend.readWhole('b', 10))).to.include({ code: 'repository_damaged' });
      // Many newer versions of one object, and the one that is meant behind them.
      store.answers = [page(version('c', 'c9', 9), 'c'), page(version('c', 'c1', -9, 7))];
      expect(await backend.size('c')).to.equal(7);
      store.answers = [
        page('<CommonPrefixes><Prefix>p/servers/one/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>p/x/</Prefix></CommonPrefixes>'),
      ];
      expect(await backend.folders('servers')).to.deep.equal(['one']);
    });

    it('is told apart from nothing, and takes no answer for a listing that is none', async () => {
      store.answers = [page(version('a', 'a1', 1))];
      expect(await past().inspect()).to.equal('empty');
      store.answers = [page(version('a', 'a1', -1))];
      expect(await past().inspect()).to.equal('occupied');
      store.answers = [error(404, 'NoSuchBucket')];
      expect(await past().inspect()).to.equal('absent');
      store.answers = [status(200, { 'content-type': 'text/html' }, '<html>Please sign in</html>')];
      expect(await failureOf(() => listed())).to.include({ code: 'repository_unreachable' });
      store.answers = [page(version('a', 'a1', -1), 'a')];
      expect(await failureOf(() => listed())).to.include({ code: 'repository_refused' });
      store.answers = [error(403, 'AccessDenied')];
      expect(await failureOf(() => listed())).to.include({ code: 'repository_refused' });
    });

    it('takes nothing for missing that it does not know yet: while it asks, where that failed, and where a listing ends in the middle', async () => {
      const backend = past();
      store.answers = [page(version('a', 'a1', -1))];
      expect(await Promise.all([backend.size('a'), backend.size('a'), backend.size('a')])).to.deep.equal([5, 5, 5]);
      store.answers = [error(403, 'AccessDenied')];
      expect(await failureOf(() => backend.size('b'))).to.include({ code: 'repository_refused' });
      store.answers = [error(503, 'SlowDown'), page(version('b', 'b1', -1))];
      expect(await backend.size('b')).to.equal(5);
      const cut = '<?xml version="1.0"?><ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>';
      store.answers = [status(200, { 'content-type': 'application/xml' }, cut)];
      for (const action of [() => listed(), () => backend.size('c'), () => backend.folders('servers')] as (() => Promise<unknown>)[])
        expect(await failureOf(action)).to.include({ code: 'repository_unreachable' });
    });

    it('can only be read', async () => {
      const backend = past();
      for (const action of [() => backend.create('a'), () => backend.remove('a'), () => backend.prepare()] as (() => Promise<unknown>)[])
        expect(await failureOf(action)).to.include({ code: 'repository_refused' });
      expect([await backend.discardAbandoned(0), await backend.discardUnfinished('a'), backend.tryWriting, backend.locks]).to.deep.equal([
        0,
        0,
        undefined,
        undefined,
      ]);
      expect(store.requests).to.have.length(0);
    });
  });
});
