import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  globSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { hold } from '../../core/commands/hold.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { plan } from '../../core/commands/plan.ts';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { type Identity, newIdentity } from '../../core/crypto/identity.ts';
import { seal } from '../../core/crypto/seal.ts';
import { SEALED_CHUNK } from '../../core/crypto/stream.ts';
import { asFailure, type Failure } from '../../core/failure.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { InitRequest } from '../../core/schemas/init.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { signedBytes } from '../repository/sign.ts';

const LARGE = 5 * 1024 * 1024;
const PASSPHRASE = 'correct horse battery staple';

/** What a thief must find nowhere: the domain, the administrator, paths, names, what people wrote. */
const SECRETS = ['secretdomain', 'secretadmin', 'secretfolder', 'secretname', 'secretpattern', 'secretreason', '/virtual/', 'shadow'];

interface Keys {
  readonly identity?: string;
  readonly passphraseFile?: string;
}

/** A server with one account, of which the names are secrets. */
class SecretServer extends Sandbox {
  constructor() {
    super();
    writeFileSync(join(this.site, 'info/current/siteinfo'), '[DEFAULT]\ndomain = secretdomain.test\nadmin_user = secretadmin\n');
    mkdirSync(join(this.shadow, 'secretfolder'));
    writeFileSync(join(this.shadow, 'secretfolder/secretname'), 'content');
    writeFileSync(join(this.shadow, 'secretfolder/gone'), 'soon');
    writeFileSync(join(this.shadow, 'large'), randomBytes(LARGE));
    this.set('exclude', ['*.secretpattern']);
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** A full, an incremental, a differential, another incremental and a synthetic full; returns the trees as they were at each. */
  async season(): Promise<{ id: string; tree: string }[]> {
    const states: { id: string; tree: string }[] = [];
    const keep = async (level: 'full' | 'incremental' | 'differential' | 'synthetic') => {
      const { snapshot, status, error } = await this.back(level);
      expect({ status, error }).to.deep.equal({ status: 'ok', error: null });
      const tree = join(this.folder, `tree-${states.length}`);
      spawnSync('cp', ['-a', this.site, tree]);
      states.push({ id: snapshot as string, tree });
    };
    await keep('full');
    appendFileSync(join(this.shadow, 'secretfolder/secretname'), ' and more');
    rmSync(join(this.shadow, 'secretfolder/gone'));
    await keep('incremental');
    renameSync(join(this.shadow, 'large'), join(this.shadow, 'secretfolder/moved'));
    await keep('differential');
    appendFileSync(join(this.shadow, 'secretfolder/moved'), randomBytes(1000));
    await keep('incremental');
    rmSync(join(this.shadow, 'secretfolder/secretname'));
    await keep('synthetic');
    return states;
  }

  async restored(at: string | undefined, keys: Keys): Promise<string> {
    const to = join(this.folder, `out-${randomBytes(4).toString('hex')}`);
    const result = await restore({ unit: 'site1', to, ...keys, ...(at === undefined ? {} : { at }) }, this.context);
    expect(result).to.include({ status: 'ok', failed: 0 });
    return to;
  }

  async failure(action: () => Promise<unknown>): Promise<Failure> {
    return failureOf(action);
  }

  objectsOfRepository(): string[] {
    const all = readdirSync(this.repository, { recursive: true, encoding: 'utf8' }).map((name) => join(this.repository, name));
    return all.filter((path) => statSync(path).isFile());
  }
}

describe('an encrypted repository', () => {
  let server: SecretServer;
  let identity: Identity;
  let stranger: Identity;

  before(async () => {
    identity = await newIdentity();
    stranger = await newIdentity();
  });
  beforeEach(() => {
    server = new SecretServer();
  });
  afterEach(() => server.remove());

  const modes: Record<string, () => { request: InitRequest; keys: Keys }> = {
    'write only': () => ({ request: { recipients: [identity.recipient] }, keys: { identity: server.file('key', `${identity.secret}\n`) } }),
    'server can read': () => ({ request: { recipients: [stranger.recipient], serverCanRead: true }, keys: {} }),
    passphrase: () => {
      const passphraseFile = server.file('passphrase', `${PASSPHRASE}\n`);
      return { request: { passphraseFile }, keys: { passphraseFile } };
    },
  };

  for (const [mode, choose] of Object.entries(modes)) {
    it(`of the kind "${mode}" gives back every point of a chain, answers every question and tells a thief nothing`, async function () {
      this.timeout(60_000);
      const { request, keys: given } = choose();
      await server.init(request);
      const states = await server.season();
      const { context } = server;
      for (const { id, tree } of states) {
        const to = await server.restored(id, given);
        for (const root of ['shadow', 'info']) expect(await compareTrees(join(tree, root), join(to, root)), id).to.deep.equal([]);
      }
      const first = states[0]?.id as string;
      const unit = 'site1';
      expect(await verify(given, context)).to.include({ status: 'ok', snapshots: 5 });
      const { entries } = await ls({ unit, at: first, folder: 'shadow/secretfolder', ...given }, context);
      expect(entries.map(({ path }) => path)).to.deep.equal(['shadow/secretfolder/gone', 'shadow/secretfolder/secretname']);
      expect((await find({ unit, pattern: 'secretname', ...given }, context)).found).to.have.length.greaterThan(0);
      expect((await history({ unit, path: 'shadow/secretfolder/secretname', ...given }, context)).events).to.have.length(3);
      const changes = await diff({ unit, from: first, ...given }, context);
      expect(changes.differences.map(({ path }) => path)).to.include('shadow/secretfolder/gone');
      expect((await diff({ unit, live: true, ...given }, context)).differences).to.deep.equal([]);
      expect(await plan({ unit, to: join(server.folder, 'planned'), ...given }, context)).to.include({ dryRun: true, failed: 0 });
      // What needs no key.
      expect((await list({}, context)).snapshots.map(({ restorable }) => restorable)).to.deep.equal([true, true, true, true, true]);
      await hold({ snapshot: first, reason: 'secretreason' }, context);
      expect(await prune({ dryRun: true }, context)).to.include({ status: 'ok' });
      for (const path of server.objectsOfRepository()) {
        const bytes = readFileSync(path).toString('latin1');
        for (const secret of SECRETS) expect(bytes.includes(secret), `${secret} in ${path}`).to.equal(false);
      }
    });
  }

  it('opens with age, zstd and tar alone', async () => {
    await server.init({ recipients: [stranger.recipient, identity.recipient] });
    await server.back('full');
    const target = join(server.folder, 'by-hand');
    mkdirSync(target);
    const key = server.file('key', identity.secret);
    const command =
      'for pack in "$@"; do age -d -i "$key" "$pack" | zstd -dc; done | tar -xpi --xattrs --xattrs-include="*" --acls --numeric-owner -C "$target"';
    const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command, 'bash', ...server.objects('packs')], {
      env: { ...process.env, target, key, LC_ALL: 'C.UTF-8' },
    });
    expect({ status, stderr: String(stderr) }).to.deep.equal({ status: 0, stderr: '' });
    for (const root of ['shadow', 'info']) expect(await compareTrees(join(server.site, root), join(target, root))).to.deep.equal([]);
  });

  it('says that a key is missing or wrong before it reads an object, and which would fit (case 40)', async () => {
    await server.init({ recipients: [identity.recipient] });
    const { snapshot } = await server.back('full');
    const foreign = { identity: server.file('foreign', stranger.secret) };
    // Were one of them read, it would be damage.
    for (const folder of ['packs', 'manifests'])
      for (const path of server.objects(folder)) writeFileSync(path, randomBytes(statSync(path).size));
    const unit = 'site1';
    const to = join(server.folder, 'never');
    const verbs: [string, (given: Keys) => Promise<unknown>][] = [
      ['restore', (given) => restore({ unit, to, ...given }, server.context)],
      ['restore of a path', (given) => restore({ unit, to, paths: ['shadow/large'], ...given }, server.context)],
      ['plan', (given) => plan({ unit, to, ...given }, server.context)],
      ['ls', (given) => ls({ unit, at: snapshot as string, ...given }, server.context)],
      ['find', (given) => find({ unit, pattern: '*', ...given }, server.context)],
      ['history', (given) => history({ unit, path: 'shadow/large', ...given }, server.context)],
      ['diff', (given) => diff({ unit, live: true, ...given }, server.context)],
      ['verify', (given) => verify({ unit, ...given }, server.context)],
      ['verify of all', (given) => verify(given, server.context)],
    ];
    for (const [verb, ask] of verbs) {
      for (const [given, code] of [
        [{}, 'identity_missing'],
        [foreign, 'identity_wrong'],
      ] as const) {
        const failure = await server.failure(() => ask(given));
        expect(failure.code, verb).to.equal(code);
        expect(failure.affected, verb).to.deep.equal([identity.recipient]);
        expect(failure.message).to.include(identity.recipient);
      }
    }
    expect(() => statSync(to)).to.throw();
  });

  it('finds a byte that changed anywhere in an object, and gives nothing else than what was stored', async function () {
    this.timeout(60_000);
    await server.init({ recipients: [identity.recipient] });
    await server.back('full');
    const given = { identity: server.file('key', identity.secret) };
    const original = new Map([...server.objects('packs'), ...server.objects('manifests')].map((path) => [path, readFileSync(path)]));
    for (const [path, bytes] of original) {
      const places = new Set([0, 100, 230, SEALED_CHUNK, bytes.length - 1].filter((at) => at < bytes.length));
      for (const at of places) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] as number) ^ 4;
        writeFileSync(path, altered);
        const { status, damages } = await verify(given, server.context);
        expect(status, `${path} at ${at}`).to.equal('damaged');
        expect(
          damages.map(({ object }) => path.endsWith(object)),
          JSON.stringify(damages),
        ).to.include(true);
        await expectNothingElse(given, `${path} at ${at}`);
      }
      writeFileSync(path, bytes);
    }
    expect((await verify(given, server.context)).status).to.equal('ok');
  });

  /** What a restore from a damaged repository writes is what was backed up, or is not written and named. */
  async function expectNothingElse(given: Keys, what: string): Promise<void> {
    const to = join(server.folder, `out-${randomBytes(4).toString('hex')}`);
    let failed = false;
    try {
      const result = await restore({ unit: 'site1', to, ...given }, server.context);
      failed = result.status !== 'ok';
    } catch (error) {
      failed = true;
      expect(asFailure(error).code, what).to.be.oneOf(['repository_damaged', 'identity_wrong']);
    }
    for (const path of globSync('shadow/**/*', { cwd: to })) {
      if (!statSync(join(to, path)).isFile()) continue;
      expect(readFileSync(join(to, path)).equals(readFileSync(join(server.site, path))), `${what}: ${path}`).to.equal(true);
    }
    if (!failed)
      for (const root of ['shadow', 'info']) expect(await compareTrees(join(server.site, root), join(to, root)), what).to.deep.equal([]);
  }

  it('finds objects that were cut at the borders of chunks, appended to or exchanged (case 22)', async function () {
    this.timeout(60_000);
    await server.init({ recipients: [identity.recipient] });
    await server.back('full');
    const given = { identity: server.file('key', identity.secret) };
    const packs = server.objects('packs').map((path) => [path, readFileSync(path)] as const);
    const [large, bytes] = packs.reduce((a, b) => (b[1].length > a[1].length ? b : a));
    const [small, other] = packs.reduce((a, b) => (b[1].length < a[1].length ? b : a));
    const start = bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1 + 16;
    const cut = (length: number): Buffer => bytes.subarray(0, length);
    for (const altered of [
      cut(start),
      cut(start + SEALED_CHUNK),
      cut(start + 3 * SEALED_CHUNK),
      cut(bytes.length - 1),
      Buffer.concat([bytes, other]),
      other,
    ]) {
      writeFileSync(large, altered);
      expect((await verify(given, server.context)).status).to.equal('damaged');
      await expectNothingElse(given, `${altered.length} bytes`);
    }
    // In the length that is recorded, whole, and of the same repository: only its digest tells.
    writeFileSync(large, bytes);
    const moved = Buffer.concat([
      cut(start + SEALED_CHUNK),
      bytes.subarray(start, start + SEALED_CHUNK),
      bytes.subarray(start + 2 * SEALED_CHUNK),
    ]);
    writeFileSync(large, moved);
    expect((await verify(given, server.context)).status).to.equal('damaged');
    await expectNothingElse(given, 'chunks exchanged');
    writeFileSync(large, bytes);
    writeFileSync(small, other);
    expect((await verify(given, server.context)).status).to.equal('ok');
  });

  it('takes what is sealed in a record for no other record’s', async () => {
    await server.init({ recipients: [identity.recipient] });
    await server.back('full');
    writeFileSync(join(server.shadow, 'later'), '');
    await server.back('incremental');
    const [first, second] = server.objects('snapshots').map((path) => JSON.parse(readFileSync(path, 'utf8'))) as [
      { sealed: object },
      { sealed: object },
    ];
    const path = server.objects('snapshots')[1] as string;
    writeFileSync(path, signedBytes({ ...second, sealed: first.sealed }, path, server.stateDirectory));
    const given = { identity: server.file('key', identity.secret) };
    const failure = await server.failure(() => restore({ unit: 'site1', to: join(server.folder, 'x'), ...given }, server.context));
    expect(failure.code).to.equal('repository_damaged');
    expect(failure.message).to.include('belongs to another object');
  });

  it('takes nothing from what is sealed that stands in a record in clear', async () => {
    await server.init({ recipients: [identity.recipient] });
    await server.back('full');
    const [path] = server.objects('snapshots') as [string];
    const record = JSON.parse(readFileSync(path, 'utf8')) as { sealed: { keys: string; age: string } };
    const name = path.slice(path.indexOf('servers/', server.repository.length));
    const age = (await seal(JSON.stringify({ name, members: { packs: [] } }), [identity.recipient])).toString('base64');
    writeFileSync(path, signedBytes({ ...record, sealed: { ...record.sealed, age } }, path, server.stateDirectory));
    const given = { identity: server.file('key', identity.secret) };
    const failure = await server.failure(() => restore({ unit: 'site1', to: join(server.folder, 'x'), ...given }, server.context));
    expect(failure).to.include({ code: 'repository_damaged' });
    expect(failure.message).to.include('belongs to another object');
  });

  it('goes on without a key as long as the state directory is there; without it makes a full, and says so', async () => {
    await server.init({ recipients: [identity.recipient] });
    const given = { identity: server.file('key', identity.secret) };
    await server.back('full');
    writeFileSync(join(server.shadow, 'new'), 'new');
    expect(await server.back('incremental')).to.include({ level: 'incremental', changed: 2 });
    const kept = globSync(join(server.stateDirectory, 'repositories/*/units'));
    for (const folder of kept) rmSync(folder, { recursive: true });
    const lost = await server.back('incremental');
    expect(lost).to.include({ level: 'full', error: null });
    expect(lost.reason).to.include('the state directory does not have all of it');
    expect(server.log.map(({ code }) => code)).to.include('state_lost');
    await server.restored(undefined, given);
  });

  it('compacts packs that this server cannot read from its unchanged files, with every point of the past as it was', async () => {
    await server.init({ recipients: [identity.recipient] });
    const given = { identity: server.file('key', identity.secret) };
    server.set('limits', { workers: 1 });
    const chunked = join(server.shadow, 'chunked');
    writeFileSync(chunked, randomBytes(LARGE));
    linkSync(chunked, join(server.shadow, 'another name'));
    writeFileSync(join(server.shadow, 'sparse'), randomBytes(10_000));
    truncateSync(join(server.shadow, 'sparse'), 10 * LARGE);
    appendFileSync(join(server.shadow, 'sparse'), 'behind the hole');
    await server.back('full');
    const before = join(server.folder, 'before');
    spawnSync('cp', ['-a', '--sparse=always', server.site, before]);
    rmSync(join(server.shadow, 'large'));
    for (let more = 0; more < 3; more++) writeFileSync(join(server.shadow, `more-${more}`), randomBytes(100));
    await server.back('incremental');
    const { snapshot, level, error } = await server.back('synthetic');
    expect({ level, error }).to.deep.equal({ level: 'full', error: null });
    expect(server.log.filter(({ code }) => code === 'compaction_skipped')).to.deep.equal([]);
    const records = server.objects('snapshots').map((path) => JSON.parse(readFileSync(path, 'utf8')) as SnapshotRecord);
    const first = records[0]?.packs.map(({ path }) => path) as string[];
    expect(first).to.have.length(1);
    expect(records.at(-1)?.packs.map(({ path }) => path)).not.to.include(first[0]);
    expect((await verify(given, server.context)).status).to.equal('ok');
    for (const [at, tree] of [
      [records[0]?.id, before],
      [snapshot as string, server.site],
    ] as const) {
      expect(await compareTrees(join(tree, 'shadow'), join(await server.restored(at, given), 'shadow'))).to.deep.equal([]);
    }
    writeFileSync(join(server.shadow, 'later'), 'later');
    expect(await server.back('incremental')).to.include({ level: 'incremental', changed: 2 });
    server.set('retention', { keepLast: 0, guardShare: 1 });
    await prune({ yes: true }, server.context);
    expect((await verify(given, server.context)).status).to.equal('ok');
    expect(await compareTrees(server.shadow, join(await server.restored(undefined, given), 'shadow'))).to.deep.equal([]);
  });

  it('copies out of old packs where this server can read them', async () => {
    await server.init({ recipients: [stranger.recipient], serverCanRead: true });
    // One pack then holds it all, whichever worker is quicker.
    server.set('limits', { workers: 1 });
    await server.back('full');
    rmSync(join(server.shadow, 'large'));
    const { snapshot } = await server.back('synthetic');
    expect(server.log.filter(({ code }) => code === 'compaction_skipped')).to.deep.equal([]);
    const record = JSON.parse(readFileSync(server.objects('snapshots').at(-1) as string, 'utf8')) as { packs: { path: string }[] };
    expect(record.packs.every(({ path }) => path.includes(snapshot as string))).to.equal(true);
    expect((await verify({}, server.context)).status).to.equal('ok');
  });

  it('reads back what it has just written, without any identity', async () => {
    await server.init({ recipients: [identity.recipient] });
    const { units } = await run({ units: ['site1'], readBack: true }, server.context);
    expect(units[0]).to.include({ status: 'ok', error: null });
  });
});
