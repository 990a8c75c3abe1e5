import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { S3Backend } from '../../core/repository/backends/s3/s3.ts';
import { S3Store } from '../../core/repository/backends/s3/store.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { type Answer, error, listing, never, reset, Script, status } from './s3-script.ts';

const QUICK: Patience = { first: 1, longest: 4, total: 300, quiet: 5000 };
const SECRET = 'the-secret-key';

describe('a store that answers as it likes', () => {
  let store: Script;
  let other: Script;
  let folder: string;
  let backend: StoreBackend;
  /** For what goes well in the end. */
  let patient: StoreBackend;

  beforeEach(async () => {
    [store, other] = [await Script.start(), await Script.start()];
    folder = mkdtempSync(join(tmpdir(), 'hostile-'));
    const credentialsFile = join(folder, 'credentials');
    writeFileSync(credentialsFile, `[default]\naws_access_key_id = KEY\naws_secret_access_key = ${SECRET}\n`, { mode: 0o600 });
    const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
    const s3 = new S3Backend(new S3Store(location, { credentialsFile }, { waits: { connect: 500, silent: 1000 } }), QUICK);
    backend = new StoreBackend(s3, () => Buffer.alloc(0), QUICK);
    patient = new StoreBackend(s3, () => Buffer.alloc(0), { ...QUICK, total: 60_000 });
  });
  afterEach(() => {
    store.stop();
    other.stop();
    rmSync(folder, { recursive: true });
  });

  const write = async (bytes: Uint8Array, name = 'a/b') => {
    const writer = await backend.create(name);
    try {
      await writer.write(bytes);
      await writer.commit();
    } finally {
      await writer.abort().catch(() => {});
    }
  };
  const list = async () => {
    const names: string[] = [];
    for await (const { name } of backend.list('a/')) names.push(name);
    return names;
  };
  const everything: [string, () => Promise<unknown>][] = [
    ['read', () => backend.read('a/b', 0, 4)],
    ['read whole', () => backend.readWhole('a/b', 100)],
    ['size', () => backend.size('a/b')],
    ['list', list],
    ['write', () => write(Buffer.from('text'))],
    ['remove', () => backend.remove('a/b')],
  ];

  for (const code of [301, 302, 303, 307, 308]) {
    it(`is not followed elsewhere (${code}), where it would get to see what was signed (case 41)`, async () => {
      for (const [name, action] of everything) {
        store.answers = [status(code, { location: `${other.endpoint}/bucket/p/a/b`, 'x-amz-bucket-region': 'elsewhere' }, '')];
        expect(await failureOf(action), name)
          .to.have.property('code')
          .that.is.oneOf(['repository_refused', 'repository_unreachable']);
      }
      expect(other.requests).to.deep.equal([]);
    });
  }

  it('never gets the key itself', async () => {
    store.answers = [error(403, 'AccessDenied')];
    for (const [name, action] of everything) expect(await failureOf(action), name).to.include({ code: 'repository_refused' });
    for (const { headers, url } of store.requests) expect(`${JSON.stringify(headers)}${url}`).to.not.contain(SECRET);
  });

  it('lists nothing that it was not asked for, and opens no entity', async () => {
    const key = (name: string) =>
      `<Contents><Key>${name}</Key><Size>3</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
    store.answers = [listing(['p/a/good', 'p/a/../../etc', '/etc/passwd', 'p/b/other', 'q/a/x', 'p/a/.hidden', 'p/a/'].map(key).join(''))];
    expect(await list()).to.deep.equal(['a/good']);
    const declared = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    store.answers = [
      status(
        200,
        { 'content-type': 'application/xml' },
        `${declared}<ListBucketResult><IsTruncated>false</IsTruncated>${key('p/a/&x;')}</ListBucketResult>`,
      ),
    ];
    const names = await list().catch(() => []);
    expect(names.join()).to.not.contain('root:');
    const laughs = Array.from({ length: 30 }, (_, n) => `<!ENTITY l${n + 1} "&l${n};&l${n};&l${n};">`).join('');
    const bomb = `<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">${laughs}]><ListBucketResult><IsTruncated>false</IsTruncated>${key('p/a/&l30;')}</ListBucketResult>`;
    store.answers = [status(200, { 'content-type': 'application/xml' }, bomb)];
    expect((await list().catch(() => [])).join().length).to.be.at.most(10_000);
  });

  it('is not believed when its answer is no XML, cut, or without an end', async () => {
    for (const body of ['<ListBucketResult><Contents><Key>p/a/x', 'not xml at all', '<html><body>Sign in</body></html>', '']) {
      store.answers = [status(200, { 'content-type': 'application/xml' }, body)];
      expect(await failureOf(list), body).to.include({ code: 'repository_unreachable' });
    }
    const part = Buffer.alloc(1024 * 1024, '<Contents><Key>p/a/x</Key></Contents>');
    let sent = 0;
    store.answers = [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.write('<?xml version="1.0"?><ListBucketResult>');
        const more = (): void => {
          for (; sent < 200 && !response.destroyed; sent++) if (!response.write(part)) return void response.once('drain', more);
        };
        more();
      },
    ];
    expect(await failureOf(list))
      .to.have.property('code')
      .that.is.oneOf(['repository_refused', 'repository_unreachable']);
    expect(sent, 'megabytes of an endless answer').to.be.below(100);
  });

  it('is asked again when what comes has another length than it said, or is another stretch', async () => {
    const stretch = (text: string, range = 'bytes 0-3/4', length = text.length): Answer =>
      status(206, { 'content-range': range, 'content-length': `${length}` }, text);
    const cut: Answer = (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/4', 'content-length': '4' });
      response.write('go');
      setTimeout(() => response.destroy(), 5);
    };
    for (const wrong of [
      cut,
      stretch('goodness', 'bytes 0-3/4', 8),
      stretch('good', 'bytes 4-7/8'),
      status(200, { 'content-length': '4' }, 'good'),
    ]) {
      store.answers = [wrong, stretch('good')];
      expect((await patient.read('a/b', 0, 4)).toString()).to.equal('good');
    }
    store.answers = [stretch('good', 'bytes 0-3/9999999999')];
    expect(await failureOf(() => backend.readWhole('a/b', 100)))
      .to.have.property('code')
      .that.is.oneOf(['repository_damaged', 'repository_unreachable']);
  });

  it('is asked again when it has too much to do, resets or says nothing, and given up in the end', async () => {
    const good = status(206, { 'content-range': 'bytes 0-3/4', 'content-length': '4' }, 'good');
    store.answers = [error(500, 'InternalError'), error(503, 'SlowDown'), reset, never, good];
    expect((await patient.read('a/b', 0, 4)).toString()).to.equal('good');
    for (const [name, action] of everything) {
      for (const bad of [error(503, 'SlowDown'), reset]) {
        store.answers = [bad];
        expect(await failureOf(action), name).to.include({ code: 'repository_unreachable', retry: true });
      }
    }
    store.answers = [never];
    expect(await failureOf(() => backend.size('a/b'))).to.include({ code: 'repository_unreachable', retry: true });
  });

  it('may lose the answer to what it has done: the object is known again, and another writer’s is not taken for it', async () => {
    const taken = error(412, 'PreconditionFailed');
    let mark: string | undefined;
    const keep: Answer = (request) => {
      mark = request.headers['x-amz-meta-writer'] as string;
      request.socket.destroy();
    };
    const own: Answer = (_request, response) =>
      void response.writeHead(200, { etag: '"e"', 'x-amz-meta-writer': mark ?? '', 'content-length': '4' }).end();
    store.answers = [keep, taken, own];
    await write(Buffer.from('text'));
    store.answers = [
      keep,
      taken,
      status(200, { etag: '"e"', 'content-length': '4', 'x-amz-meta-writer': randomBytes(12).toString('hex') }),
    ];
    expect(await failureOf(() => write(Buffer.from('text')))).to.include({ code: 'object_exists' });
    store.answers = [keep, taken, status(200, { etag: '"e"', 'content-length': '4' })];
    expect(await failureOf(() => write(Buffer.from('text')))).to.include({ code: 'object_exists' });
  });

  it('may lose the answer to the end of an upload of many parts', async () => {
    let mark = '';
    const begun: Answer = (request, response) => {
      mark = request.headers['x-amz-meta-writer'] as string;
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');
    };
    const part = status(200, { etag: '"e"' });
    const own: Answer = (_request, response) =>
      void response.writeHead(200, { etag: '"e"', 'content-length': '4', 'x-amz-meta-writer': mark }).end();
    store.answers = [begun, part, part, error(404, 'NoSuchKey'), reset, error(404, 'NoSuchUpload'), own];
    await write(Buffer.alloc(9 * 1024 * 1024, 1));
    // An upload that nobody ended is not there.
    store.answers = [begun, part, part, error(404, 'NoSuchKey'), error(404, 'NoSuchUpload'), error(404, 'NoSuchKey')];
    expect(await failureOf(() => write(Buffer.alloc(9 * 1024 * 1024, 1))))
      .to.have.property('code')
      .that.is.not.equal('internal');
  });
});
