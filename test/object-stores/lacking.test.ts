import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { renderResult } from '../../core/cli/results.ts';
import { init } from '../../core/commands/init.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { S3Backend } from '../../core/repository/backends/s3/s3.ts';
import { S3Store } from '../../core/repository/backends/s3/store.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { type Answer, error, Script, status } from './s3-script.ts';

const QUICK = { first: 1, longest: 4, total: 200, quiet: 5000 };

describe('what a store lacks', () => {
  let store: Script;
  let folder: string;
  before(async () => {
    store = await Script.start();
    folder = mkdtempSync(join(tmpdir(), 'lacking-'));
    writeFileSync(join(folder, 'key'), '[default]\naws_access_key_id = K\naws_secret_access_key = S\n', { mode: 0o600 });
  });
  after(() => {
    store.stop();
    rmSync(folder, { recursive: true });
  });

  const VERSIONS = status(200, {}, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
  const LOCKS = status(200, {}, '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>');
  const TAKEN = error(412, 'PreconditionFailed');

  /** Of a store that answers so to a second writer of a name, and about versions and locks. */
  async function lacks(put: Answer, versioning: Answer, locks: Answer): Promise<string[]> {
    store.requests.length = 0;
    store.answers = [
      (request, response, body) => {
        const url = request.url ?? '';
        const object = status(
          request.method === 'HEAD' ? 200 : 206,
          {
            ...{ 'content-length': '4', 'content-range': 'bytes 0-3/4', etag: '"e"', 'x-amz-meta-writer': 'another' },
          },
          request.method === 'HEAD' ? '' : 'text',
        );
        const answer = url.includes('versioning')
          ? versioning
          : url.includes('object-lock')
            ? locks
            : request.method === 'PUT'
              ? put
              : object;
        answer(request, response, body);
      },
    ];
    const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
    const s3 = new S3Backend(
      new S3Store(location, { credentialsFile: join(folder, 'key') }, { waits: { connect: 500, silent: 1000 } }),
      QUICK,
    );
    const found = await new StoreBackend(s3, () => Buffer.alloc(0), QUICK).lacking?.('servers/a/server.json');
    return (found ?? []).map(({ what }) => what);
  }

  it('is nothing where a bucket has all', async () => {
    expect(await lacks(TAKEN, VERSIONS, LOCKS)).to.deep.equal([]);
    const put = store.requests.filter(({ method }) => method === 'PUT');
    expect(
      put.map(({ headers }) => headers['if-none-match']),
      'and nothing was stored',
    ).to.deep.equal(['*']);
  });

  it('are conditions that it does not know, or does not heed', async () => {
    expect(await lacks(error(501, 'NotImplemented'), VERSIONS, LOCKS)).to.deep.equal(['exclusive']);
    expect(await lacks(status(200, { etag: '"e"' }), VERSIONS, LOCKS)).to.deep.equal(['exclusive']);
  });

  it('are versions, and locks where it keeps versions, also where the key may not ask', async () => {
    const off = status(200, {}, '<VersioningConfiguration/>');
    for (const answer of [off, error(403, 'AccessDenied'), error(501, 'NotImplemented'), error(405, 'MethodNotAllowed')])
      expect(await lacks(TAKEN, answer, LOCKS)).to.deep.equal(['versions']);
    for (const answer of [error(404, 'ObjectLockConfigurationNotFoundError'), error(403, 'AccessDenied')])
      expect(await lacks(TAKEN, VERSIONS, answer)).to.deep.equal(['locks']);
  });

  it('is not made up where the store gives no answer', async () => {
    for (const answers of [
      [TAKEN, error(500, 'InternalError'), LOCKS],
      [TAKEN, VERSIONS, error(503, 'SlowDown')],
      [error(500, 'InternalError'), VERSIONS, LOCKS],
      [error(403, 'AccessDenied'), VERSIONS, LOCKS],
    ] as const)
      expect((await failureOf(() => lacks(...answers))).code).to.be.oneOf(['repository_unreachable', 'repository_refused']);
  });

  it('is said by init, and that it cannot be told is a warning', async () => {
    const sandbox = new Sandbox();
    const place = LocalBackend.prototype as { lacking?: () => Promise<unknown> };
    try {
      place.lacking = async () => [{ what: 'space', message: 'nobody knows the room' }];
      const result = await init({}, sandbox.context);
      expect(result.lacks.map(({ what }) => what)).to.deep.equal(['space']);
      expect(renderResult('init', result)).to.contain('Lacking: nobody knows the room.');
      place.lacking = () => Promise.reject(new Error('no answer'));
      expect((await init({}, sandbox.context)).lacks).to.deep.equal([]);
      expect(sandbox.log.map(({ message }) => message).join()).to.contain('what the place lacks cannot be told: no answer');
    } finally {
      delete place.lacking;
      await sandbox.remove();
    }
  });
});
