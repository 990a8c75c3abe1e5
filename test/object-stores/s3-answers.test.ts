import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { WriteMode } from '../../core/repository/backends/backend.ts';
import { operate } from '../../core/repository/backends/operation.ts';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { locksOf } from '../../core/repository/backends/s3/object-locks.ts';
import { S3Backend } from '../../core/repository/backends/s3/s3.ts';
import { s3Failure } from '../../core/repository/backends/s3/s3-failure.ts';
import { S3Store } from '../../core/repository/backends/s3/store.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { type Answer, error, listing, never, reset, Script, status } from './s3-script.ts';

/** One attempt; a repetition where a test says so. */
const ONCE: Patience = { first: 1, longest: 1, total: 0, quiet: 5000 };
const AGAIN: Patience = { ...ONCE, total: 60_000 };
const XML = { 'content-type': 'application/xml' };
const HTML = status(200, { 'content-type': 'text/html' }, '<html>Please sign in</html>');
const GATEWAY = status(404, { 'content-type': 'text/html' }, '<html>default backend - 404</html>');
const STORED = status(200, { etag: '"e"' });

describe('what a store answers that speaks S3', () => {
  let store: Script;
  let folder: string;
  let credentialsFile: string;

  beforeEach(async () => {
    store = await Script.start();
    folder = mkdtempSync(join(tmpdir(), 's3-answers-'));
    credentialsFile = join(folder, 'credentials');
    writeFileSync(credentialsFile, '[default]\naws_access_key_id = KEY\naws_secret_access_key = secret\n', { mode: 0o600 });
  });
  afterEach(() => {
    store.stop();
    rmSync(folder, { recursive: true });
  });

  const open = (patience = ONCE): StoreBackend => {
    const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
    const s3 = new S3Backend(new S3Store(location, { credentialsFile }, { waits: { connect: 500, silent: 1000 } }), patience);
    return new StoreBackend(s3, () => Buffer.alloc(0), patience);
  };
  const write = async (backend: StoreBackend, bytes: Uint8Array = Buffer.from('text'), mode: WriteMode = 'new') => {
    const writer = await backend.create('a/b', mode);
    try {
      await writer.write(bytes);
      await writer.commit();
    } finally {
      await writer.abort().catch(() => {});
    }
  };
  const list = async (backend: StoreBackend) => {
    const names: string[] = [];
    for await (const { name } of backend.list('a/')) names.push(name);
    return names;
  };
  const methods = () => store.requests.map(({ method }) => method).join(' ');

  it('is told by a trial whether it takes anything, also where what was begun may not be dropped', async () => {
    const begun = status(
      200,
      XML,
      '<?xml version="1.0"?><InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>p/k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>',
    );
    store.answers = [error(403, 'AccessDenied')];
    expect(await failureOf(() => open().tryWriting?.('servers/s') ?? Promise.resolve())).to.include({ code: 'repository_refused' });
    store.answers = [begun, error(403, 'AccessDenied')];
    await open().tryWriting?.('servers/s');
    expect(methods()).to.equal('POST POST DELETE');
  });

  it('says of an object that it is missing only when the store itself does: a gateway that knows no way says 404, too', async () => {
    const calls: [string, () => Promise<unknown>][] = [
      ['read', () => open().read('a/b', 0, 4)],
      ['read whole', () => open().readWhole('a/b', 4)],
      ['size', () => open().size('a/b')],
      ['list', () => list(open())],
      ['remove', () => open().remove('a/b')],
      ['inspect', () => open().inspect()],
    ];
    store.answers = [GATEWAY];
    for (const [name, call] of calls) expect(await failureOf(call), name).to.include({ code: 'repository_unreachable', retry: true });
    store.answers = [error(404, 'NoSuchBucket')];
    for (const [name, call] of calls.slice(0, 4)) expect(await failureOf(call), name).to.include({ code: 'repository_missing' });
    store.answers = [error(404, 'NoSuchKey')];
    expect(await open().size('a/b')).to.equal(undefined);
    expect(await failureOf(() => open().readWhole('a/b', 4))).to.include({ code: 'repository_damaged' });
    // Some stores say so of what is to be removed; others say that it is done.
    await open().remove('a/b');
  });

  it('is not believed to have stored what somebody else says is well', async () => {
    store.answers = [HTML];
    expect(await failureOf(() => write(open()))).to.include({ code: 'repository_unreachable' });
    expect(await failureOf(() => open().size('a/b'))).to.include({ code: 'repository_unreachable' });
    const begun = status(
      200,
      XML,
      '<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
    );
    const large = Buffer.alloc(8 * 1024 * 1024 + 1, 1);
    const blank = status(200, XML, '   ');
    const failed = status(200, XML, '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>no</Message></Error>');
    const denied = status(200, XML, '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>');
    for (const [end, code] of [
      [blank, 'repository_unreachable'],
      [HTML, 'repository_unreachable'],
      [failed, 'repository_unreachable'],
      [denied, 'repository_refused'],
    ] as const) {
      store.answers = [begun, STORED, STORED, error(404, 'NoSuchKey'), end, error(404, 'NoSuchKey')];
      expect(await failureOf(() => write(open(), large))).to.include({ code });
    }
  });

  it('is believed when the object has the mark of its writer, whatever the answer lacks', async () => {
    let mark = '';
    const keep: Answer = (request, response) => {
      mark = request.headers['x-amz-meta-writer'] as string;
      response.writeHead(200).end();
    };
    const own: Answer = (_request, response) =>
      void response.writeHead(200, { etag: '"e"', 'content-length': '4', 'x-amz-meta-writer': mark }).end();
    store.answers = [keep, own];
    await write(open());
  });

  it('counts nothing as old or empty whose time or length it does not say', async () => {
    const time = '<LastModified>2026-01-01T00:00:00.000Z</LastModified>';
    for (const inner of [
      '<Size>3</Size>',
      time,
      `<Size>-3</Size>${time}`,
      `<Size>1e30</Size>${time}`,
      '<Size>3</Size><LastModified>x</LastModified>',
    ]) {
      store.answers = [listing(`<Contents><Key>p/a/x</Key>${inner}</Contents>`)];
      expect(await failureOf(() => list(open())), inner).to.include({ code: 'repository_unreachable' });
    }
    store.answers = [status(200, { etag: '"e"', 'transfer-encoding': 'chunked' })];
    expect(await failureOf(() => open().size('a/b'))).to.include({ code: 'repository_unreachable' });
    // It has bytes, and gives none of them.
    store.answers = [error(416, 'InvalidRange'), status(200, { etag: '"e"', 'content-length': '50' })];
    expect(await failureOf(() => open().readWhole('a/b', 100))).to.include({ code: 'repository_unreachable' });
    store.answers = [error(416, 'InvalidRange'), error(404, 'NoSuchKey')];
    expect(await failureOf(() => open().readWhole('a/b', 100))).to.include({ code: 'repository_damaged' });
  });

  it('does not list without an end, nor end in the middle', async () => {
    const page = (inner: string): Answer =>
      status(200, XML, `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>${inner}</ListBucketResult>`);
    store.answers = [page('')];
    expect(await failureOf(() => list(open()))).to.include({ code: 'repository_unreachable' });
    for (const entry of ['', '<Contents><Key>p/a/x</Key><Size>3</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>']) {
      let number = 0;
      store.answers = [(...args) => page(`${entry}<NextContinuationToken>t${number++}</NextContinuationToken>`)(...args)];
      expect(await failureOf(() => list(open()))).to.include({ code: 'repository_refused' });
    }
    store.answers = [
      (...args) =>
        status(
          200,
          XML,
          `<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>${store.requests.length % 2}</NextKeyMarker></ListMultipartUploadsResult>`,
        )(...args),
    ];
    expect(await open().discardUnfinished('servers/s')).to.equal(0);
  });

  it('may refuse or not know the list of unfinished uploads, and another may have ended one: nothing waits for that', async () => {
    for (const answer of [error(403, 'AccessDenied'), error(501, 'NotImplemented'), error(405, 'MethodNotAllowed')]) {
      store.answers = [answer];
      expect(await open().discardUnfinished('servers/s')).to.equal(0);
    }
    const upload = '<Upload><Key>p/servers/s/x</Key><UploadId>u</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>';
    store.answers = [
      status(
        200,
        XML,
        `<?xml version="1.0"?><ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${upload}</ListMultipartUploadsResult>`,
      ),
      error(404, 'NoSuchUpload'),
    ];
    expect(await open().discardUnfinished('servers/s')).to.equal(1);
  });

  it('is asked again after a conflict of two requests for one name, and after what arrived damaged', async () => {
    for (const again of [
      error(409, 'ConditionalRequestConflict'),
      error(409, 'OperationAborted'),
      error(400, 'RequestTimeout'),
      error(400, 'BadDigest'),
    ]) {
      store.requests.length = 0;
      store.answers = [again, STORED];
      await write(open(AGAIN));
      expect(methods()).to.equal('PUT PUT');
    }
  });

  it('gets the MD5 of what is sent, and no other sum, which some refuse by name (Backblaze, OVHcloud)', async () => {
    const begun = status(
      200,
      XML,
      '<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
    );
    const ended = status(200, XML, '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>');
    store.answers = [STORED];
    await write(open());
    store.answers = [begun, STORED, STORED, error(404, 'NoSuchKey'), ended];
    await write(open(), Buffer.alloc(8 * 1024 * 1024 + 1));
    store.answers = [status(200)];
    const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
    const locked = new S3Store(location, { credentialsFile, objectLock: { mode: 'governance' } });
    expect(await locksOf(locked)?.extend('a/b', { mode: 'governance', until: Date.now() + 1e6 })).to.equal(true);
    const sums = store.requests.map(({ method, headers }) => [method, ...Object.keys(headers).filter((name) => /md5|checksum/.test(name))]);
    const sent = ['PUT', 'content-md5'];
    expect(sums).to.deep.equal([sent, ['POST'], sent, sent, ['HEAD'], ['POST'], sent]);
  });

  it('may know no conditions: then there is a look before each new name, and none before a replacement', async () => {
    const unsupported =
      "<Error><Code>InvalidArgument</Code><Message>Unsupported header 'if-none-match' received for this API call.</Message></Error>";
    store.answers = [status(400, XML, unsupported), error(404, 'NoSuchKey'), STORED];
    await write(open(AGAIN));
    expect(methods()).to.equal('PUT HEAD PUT');
    store.requests.length = 0;
    const backend = open(AGAIN);
    store.answers = [error(501, 'NotImplemented'), error(404, 'NoSuchKey'), STORED, error(404, 'NoSuchKey'), STORED, STORED];
    await write(backend);
    await write(backend);
    await write(backend, Buffer.from('healed'), 'replacing');
    expect(methods()).to.equal('PUT HEAD PUT HEAD PUT PUT');
    expect(store.requests.map(({ headers }) => headers['if-none-match'])).to.deep.equal(['*', ...Array(5).fill(undefined)]);
    store.answers = [status(200, { etag: '"e"', 'content-length': '4', 'x-amz-meta-writer': 'another' })];
    expect(await failureOf(() => write(backend))).to.include({ code: 'object_exists' });
    // The answer to one that was stored is lost: the look before the next attempt finds it.
    let mark = '';
    const keep: Answer = (request) => {
      mark = request.headers['x-amz-meta-writer'] as string;
      request.socket.destroy();
    };
    const own: Answer = (_request, response) =>
      void response.writeHead(200, { etag: '"e"', 'content-length': '4', 'x-amz-meta-writer': mark }).end();
    store.answers = [error(404, 'NoSuchKey'), keep, own, reset];
    await write(backend);
  });

  it('is waited for no longer than a moment when it says nothing, and nobody wants to know any more', async () => {
    const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
    const backend = new StoreBackend(
      new S3Backend(new S3Store(location, { credentialsFile }, { waits: { connect: 100_000, silent: 100_000 } })),
      () => Buffer.alloc(0),
    );
    const half: Answer = (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/4', 'content-length': '4' });
      response.write('go');
    };
    for (const answer of [never, half]) {
      store.answers = [answer];
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      const operation = { signal: controller.signal, notify: () => {}, grace: 50 };
      expect(await failureOf(() => operate(operation, () => backend.read('a/b', 0, 4)))).to.include({ code: 'cancelled' });
      // One that answers still gets what ends things in order.
      store.answers = [STORED];
      await operate(operation, () => write(backend));
    }
  });

  it('says in which region a bucket is, and that a place in which only the folder itself stands is empty', async () => {
    store.answers = [
      status(301, { ...XML, 'x-amz-bucket-region': 'eu-west-7' }, '<Error><Code>PermanentRedirect</Code><Message>no</Message></Error>'),
    ];
    for (const call of [() => open().inspect(), () => open().size('a/b')]) {
      const failure = await failureOf(call);
      expect(failure).to.include({ code: 'repository_refused' });
      expect(failure.advice).to.contain('"eu-west-7"');
    }
    const entry = (key: string) =>
      `<Contents><Key>${key}</Key><Size>0</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
    store.answers = [listing(entry('p/'))];
    expect(await open().inspect()).to.equal('empty');
    store.answers = [listing(entry('p/') + entry('p/x'))];
    expect(await open().inspect()).to.equal('occupied');
  });

  it('has nothing of what the environment and the files of other programs say', async () => {
    const home = join(folder, 'home');
    execFileSync('mkdir', ['-p', join(home, '.aws')]);
    writeFileSync(join(home, '.aws/config'), '[default]\nuse_fips_endpoint = true\n');
    const before = { ...process.env };
    try {
      for (const [name, value] of [
        ['AWS_USE_FIPS_ENDPOINT', 'true'],
        ['AWS_USE_DUALSTACK_ENDPOINT', 'true'],
        ['AWS_DEFAULTS_MODE', 'none'],
        ['HOME', home],
      ] as const) {
        delete process.env.AWS_CONFIG_FILE;
        process.env[name] = value;
        store.answers = [listing('')];
        expect(await list(open()), name).to.deep.equal([]);
        delete process.env[name];
      }
      // No role answers where this variable says: it is not asked.
      delete process.env.AWS_CONFIG_FILE;
      process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = store.endpoint;
      store.requests.length = 0;
      const location = { kind: 's3', endpoint: store.endpoint, bucket: 'bucket', prefix: 'p' } as const;
      const failure = await failureOf(() => new S3Backend(new S3Store(location, {}), ONCE).inspect());
      expect(failure).to.include({ code: 'invalid_settings', retry: false });
      expect(failure.advice).to.contain('credentialsFile');
      expect(store.requests).to.deep.equal([]);
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });

  it('may have a certificate of an authority that this system trusts, and of no other', async () => {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority');
    openssl('req', ...key, '-keyout', 'store.key', '-out', 'store.csr', '-subj', '/CN=localhost');
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost');
    openssl(
      'x509',
      '-req',
      '-in',
      'store.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'store.pem',
      '-extfile',
      'names',
    );
    const read = (name: string) => readFileSync(join(folder, name));
    const secure = createServer({ key: read('store.key'), cert: read('store.pem') }, (_request, response) => {
      response.writeHead(200, XML).end('<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    });
    await new Promise<void>((resolve) => secure.listen(0, 'localhost', resolve));
    try {
      const repository = `s3:https://localhost:${(secure.address() as AddressInfo).port}/bucket`;
      const script = `const { openStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../core/repository/backends/open-store.ts'))});
        const store = await openStore({ repository: ${JSON.stringify(repository)}, s3: { credentialsFile: ${JSON.stringify(credentialsFile)} }, sftp: {}, rclone: {} });
        console.log(await store.inspect().catch(({ code }) => code));`;
      const command = `"${process.execPath}" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`;
      const run = async (before: string) => (await execa('unshare', ['-m', 'sh', '-c', `${before} ${command}`, 'sh', script])).stdout;
      expect(await run('')).to.equal('repository_refused');
      expect(await run(`mount --bind "${folder}/ca.pem" /etc/ssl/certs/ca-certificates.crt;`)).to.equal('empty');
    } finally {
      secure.close();
    }
  });

  it('says of an object in an archive what it is, and not that the key is wrong', async () => {
    store.answers = [error(403, 'InvalidObjectState')];
    const failure = await failureOf(() => open().read('a/b', 0, 4));
    expect(failure).to.include({ code: 'repository_refused', retry: false });
    expect(failure.advice).to.contain('archive');
  });

  it('shows a certificate that is wrong: that does not pass by itself', () => {
    for (const code of [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'CERT_HAS_EXPIRED',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ])
      expect(s3Failure('x', Object.assign(new Error('no'), { code })), code).to.include({ code: 'repository_refused', retry: false });
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPROTO'])
      expect(s3Failure('x', Object.assign(new Error('no'), { code })), code).to.include({ code: 'repository_unreachable', retry: true });
  });
});
