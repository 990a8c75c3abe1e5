import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { keys } from '../../../core/commands/keys.ts';
import { list } from '../../../core/commands/list.ts';
import { restore } from '../../../core/commands/restore.ts';
import { verify } from '../../../core/commands/verify.ts';
import { version } from '../../../core/commands/version.ts';
import { type Identity, newIdentity } from '../../../core/crypto/identity.ts';
import type { KeysRequest } from '../../../core/schemas/keys.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

const PASSPHRASE = 'correct horse battery staple';

describe('the keys of a server', () => {
  let server: Sandbox;
  let first: Identity;
  let second: Identity;

  before(async () => {
    first = await newIdentity();
    second = await newIdentity();
  });
  beforeEach(() => {
    server = new Sandbox();
    writeFileSync(join(server.shadow, 'file'), 'content');
  });
  afterEach(() => server.remove());

  const file = (name: string, text: string): string => {
    writeFileSync(join(server.folder, name), text);
    return join(server.folder, name);
  };
  const change = (request: KeysRequest) => keys(request, server.context);
  let count = 0;
  /** Changes something and backs it up; returns the id of the snapshot. */
  const back = async (level: 'full' | 'incremental' = 'full'): Promise<string> => {
    writeFileSync(join(server.shadow, `file${count++}`), `content ${count}`);
    const { snapshot, error } = await server.back(level);
    expect(error).to.equal(null);
    return snapshot as string;
  };
  const opens = async (at: string, given: { identity?: string; passphraseFile?: string }): Promise<string> => {
    try {
      return (await restore({ unit: 'site1', at, to: join(server.folder, `out${count++}`), ...given }, server.context)).status;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const keyRecords = (): string[] => globSync(join(server.repository, 'servers/*/keys/*.json')).sort();
  const identities = (): string =>
    globSync(join(server.stateDirectory, 'repositories/*/identities'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
  const lastRecord = (): string => readFileSync(server.objects('snapshots').at(-1) as string, 'utf8');

  it('change with one command for what is stored from then on, from each way to each other', async function () {
    this.timeout(60_000);
    const one = { identity: file('one', first.secret) };
    const two = { identity: file('two', second.secret) };
    await server.init();
    expect((await change({})).keys).to.deep.equal({ mode: 'plain', recipients: [], serverRecipient: null, passphraseRecipient: null });
    const plain = await back();
    expect((await change({ recipients: [first.recipient] })).keys).to.include({ mode: 'write-only' });
    const written = await back();
    expect((await change({ serverCanRead: true })).keys).to.include({ mode: 'server-can-read' });
    const read = await back();
    expect(
      (await change({ recipients: [second.recipient], removeRecipients: [first.recipient], serverCanRead: false })).keys.recipients,
    ).to.deep.equal([second.recipient]);
    expect(identities()).to.equal('');
    const other = await back();
    expect((await change({ plain: true })).keys).to.include({ mode: 'plain' });
    const open = await back();
    expect(await opens(plain, {})).to.equal('ok');
    expect([await opens(written, {}), await opens(written, one), await opens(written, two)]).to.deep.equal([
      'identity_missing',
      'ok',
      'identity_wrong',
    ]);
    expect([await opens(read, {}), await opens(read, one), await opens(read, two)]).to.deep.equal([
      'identity_missing',
      'ok',
      'identity_wrong',
    ]);
    expect([await opens(other, one), await opens(other, two)]).to.deep.equal(['identity_wrong', 'ok']);
    expect(await opens(open, {})).to.equal('ok');
    const both = { identity: file('both', `${first.secret}\n${second.secret}\n`) };
    expect((await verify(both, server.context)).status).to.equal('ok');
  });

  it('lead an incremental over from a plain full to an encrypted one', async () => {
    await server.init();
    await server.back('full');
    await change({ recipients: [first.recipient] });
    writeFileSync(join(server.shadow, 'later'), 'later');
    const { snapshot, level, changed } = await server.back('incremental');
    expect({ level, changed }).to.deep.equal({ level: 'incremental', changed: 2 });
    expect(await opens(snapshot as string, { identity: file('one', first.secret) })).to.equal('ok');
  });

  it('with a passphrase are opened by that one, the new one and the old one each its own, and a chain by those of every time together', async function () {
    this.timeout(120_000);
    const old = { passphraseFile: file('old', `${PASSPHRASE}\n`) };
    await server.init(old);
    const before = await back();
    const fresh = { passphraseFile: file('new', 'another one\r\n') };
    await change(fresh);
    const between = await back('incremental');
    const after = await back();
    expect([await opens(before, old), await opens(after, fresh)]).to.deep.equal(['ok', 'ok']);
    expect([await opens(before, fresh), await opens(after, old)]).to.deep.equal(['identity_wrong', 'identity_wrong']);
    const locked = globSync(join(server.repository, 'servers/*/keys/*.age'));
    expect(locked).to.have.length(2);
    for (const path of locked) expect(readFileSync(path).toString('latin1')).not.to.include('AGE-SECRET-KEY');
    const both = { passphraseFile: file('both', `another one\r\n\n${PASSPHRASE}`) };
    expect([await opens(between, old), await opens(between, fresh), await opens(between, both)]).to.deep.equal([
      'identity_wrong',
      'identity_wrong',
      'ok',
    ]);
    await change({ recipients: [first.recipient], removePassphrase: true });
    const newest = await back('incremental');
    const one = { identity: file('one', first.secret) };
    expect([await opens(newest, one), await opens(newest, fresh), await opens(newest, { ...one, ...fresh })]).to.deep.equal([
      'identity_wrong',
      'identity_wrong',
      'ok',
    ]);
    expect((await verify({ ...one, ...both }, server.context)).status).to.equal('ok');
  });

  it('name the domains of a list where nothing else knows them, and are refused when they open nothing', async () => {
    await server.init({ recipients: [first.recipient] });
    await back();
    const one = { identity: file('one', first.secret) };
    const domain = (await list({ unit: 'site1' }, server.context)).snapshots[0]?.domain as string;
    expect(domain).to.be.a('string');
    rmSync(server.stateDirectory, { recursive: true });
    const domains = async (request: object) => (await list(request, server.context)).snapshots.map((each) => each.domain);
    expect(await domains({})).to.deep.equal([null]);
    for (const request of [{}, { unit: 'site1' }, { domain }, { earlier: true }])
      expect(await domains({ ...request, ...one }), JSON.stringify(request)).to.deep.equal([domain]);
    const two = { identity: file('two', second.secret) };
    for (const request of [{}, { unit: 'site1' }])
      expect((await failureOf(() => list({ ...request, ...two }, server.context))).code).to.equal('identity_wrong');
    expect((await failureOf(() => list({ unit: 'site1', policy: 'owner', ...one }, server.context))).code).to.equal('owner_not_allowed');
  });

  it('refuse what nobody could read, or this server alone, and make nothing', async () => {
    for (const request of [
      { serverCanRead: true },
      { recipients: ['age1wrong'] },
      { recipients: [first.secret] },
      { passphraseFile: '/nowhere' },
    ]) {
      const failure = await failureOf(() => server.init(request));
      expect(failure.code).to.equal('usage');
      expect(`${failure.message} ${failure.advice} ${failure.affected}`).not.to.include(first.secret.slice(20));
      expect(() => statSync(server.repository)).to.throw();
    }
    await server.init({ recipients: [first.recipient] });
    for (const request of [
      { removeRecipients: [first.recipient] },
      { removeRecipients: [second.recipient] },
      { removeRecipients: [first.recipient], serverCanRead: true },
      { plain: true, recipients: [second.recipient] },
      { recipients: [first.recipient.replace(/.$/, (c) => (c === 'q' ? 'p' : 'q'))] },
    ]) {
      expect((await failureOf(() => change(request))).code, JSON.stringify(request)).to.equal('usage');
    }
    expect((await failureOf(() => server.init({ recipients: [second.recipient] }))).code).to.equal('usage');
    expect(keyRecords()).to.have.length(1);
    expect((await change({})).keys.recipients).to.deep.equal([first.recipient]);
  });

  it('are not changed by whoever can write to the repository', async () => {
    await server.init({ recipients: [first.recipient] });
    await back();
    const [path] = keyRecords() as [string];
    const record = JSON.parse(readFileSync(path, 'utf8')) as { id: string };
    // Somebody else's key, in a record that comes later.
    const planted = { ...record, id: `2099${record.id.slice(4)}`, recipients: [second.recipient] };
    writeFileSync(path.replace(record.id, planted.id), JSON.stringify(planted));
    const snapshot = await back();
    expect(server.log.map(({ code }) => code)).to.include('keys_changed');
    expect(await opens(snapshot, { identity: file('one', first.secret) })).to.equal('ok');
    // None at all: that would be plain.
    for (const each of keyRecords()) rmSync(each);
    const identity = JSON.parse(readFileSync(join(server.repository, 'repository.json'), 'utf8')) as { recipients?: unknown };
    writeFileSync(join(server.repository, 'repository.json'), JSON.stringify({ ...identity, recipients: undefined }));
    await back();
    expect(lastRecord()).to.include('.tar.zst.age');
  });

  it('are missed by a verification of any depth, when a record names them, and cost no snapshot', async () => {
    await server.init({ recipients: [first.recipient], serverCanRead: true });
    const sealed = await back();
    const [record] = keyRecords() as [string];
    await change({ plain: true });
    await back();
    const name = record.slice(server.repository.length + 1);
    expect((await verify({}, server.context)).damages).to.deep.equal([]);
    const bytes = readFileSync(record);
    rmSync(record);
    for (const request of [{}, { quick: true }, { sample: 5 }, { unit: 'site1' }]) {
      const { status, damages } = await verify(request, server.context);
      const found = damages.map(({ object, snapshots }) => ({ object, snapshots }));
      expect({ status, found }, JSON.stringify(request)).to.deep.equal({ status: 'damaged', found: [{ object: name, snapshots: [] }] });
    }
    // Whoever has the identity reads on.
    expect(await opens(sealed, { identity: file('one', first.secret) })).to.equal('ok');
    writeFileSync(record, bytes);
    expect((await verify({}, server.context)).status).to.equal('ok');
  });

  it('are not given to a plain repository by somebody else', async () => {
    await server.init();
    const path = join(
      server.repository,
      'servers',
      JSON.parse(readFileSync(globSync(join(server.repository, 'servers/*/server.json'))[0] as string, 'utf8')).server as string,
    );
    const { repository, server: id } = JSON.parse(readFileSync(join(path, 'server.json'), 'utf8')) as {
      repository: string;
      server: string;
    };
    mkdirSync(join(path, 'keys'), { recursive: true });
    const planted = {
      formatVersion: 1,
      id: '20990101T000000000Z-00000000',
      repository,
      server: id,
      recipients: [second.recipient],
      serverRecipient: null,
      passphraseRecipient: null,
      created: '2099-01-01T00:00:00Z',
    };
    writeFileSync(join(path, 'keys/20990101T000000000Z-00000000.json'), JSON.stringify(planted));
    const snapshot = await back();
    expect(server.log.map(({ code }) => code)).to.include('keys_changed');
    expect(await opens(snapshot, {})).to.equal('ok');
  });

  it('are found again when the state directory is lost, and never lost to plain by damage', async () => {
    await server.init({ recipients: [first.recipient] });
    await back();
    rmSync(server.stateDirectory, { recursive: true });
    const snapshot = await back();
    expect(lastRecord()).to.include('.tar.zst.age');
    expect(await opens(snapshot, { identity: file('one', first.secret) })).to.equal('ok');
    rmSync(server.stateDirectory, { recursive: true });
    writeFileSync(keyRecords()[0] as string, '{');
    expect((await failureOf(() => server.back('full'))).code).to.equal('repository_damaged');
    // Somebody who knows says it anew.
    expect((await change({ recipients: [first.recipient] })).keys.recipients).to.deep.equal([first.recipient]);
    await back();
    expect(lastRecord()).to.include('.tar.zst.age');
  });

  it('are not taken from an older record, nor made plain, when the state is lost and the record of the last backup is missing', async () => {
    await server.init();
    await back();
    await change({ recipients: [first.recipient] });
    await back();
    await change({ recipients: [second.recipient], removeRecipients: [first.recipient] });
    await back('incremental');
    const [older, newest] = keyRecords() as [string, string];
    for (const stolen of [[newest], [older]]) {
      rmSync(server.stateDirectory, { recursive: true, force: true });
      for (const path of stolen) rmSync(path);
      const packs = server.objects('packs').length;
      const failure = await failureOf(() => server.back('full'));
      expect(failure).to.include({ code: 'repository_damaged' });
      expect(failure.message).to.include(newest.slice(newest.indexOf('servers/')));
      expect((await failureOf(() => change({}))).code).to.equal('repository_damaged');
      expect(server.objects('packs')).to.have.length(packs);
    }
    expect((await change({ recipients: [second.recipient] })).keys.recipients).to.deep.equal([second.recipient]);
    await back();
    expect(lastRecord()).to.include('.tar.zst.age');
  });

  it('are not taken from the repository alone while the state that remembers them cannot be read', async () => {
    await server.init({ recipients: [first.recipient] });
    await back();
    const [memory] = globSync(join(server.stateDirectory, 'repositories/*/keys.json'));
    rmSync(memory as string);
    mkdirSync(memory as string);
    expect((await failureOf(() => server.back('full'))).code).to.equal('io_error');
  });

  it('are said again when the state has lost what the server reads by', async () => {
    await server.init({ recipients: [first.recipient], serverCanRead: true });
    const before = await back();
    expect(await opens(before, {})).to.equal('ok');
    rmSync(server.stateDirectory, { recursive: true });
    await back();
    expect(server.log.filter(({ level }) => level === 'warning').map(({ code }) => code)).to.include('identity_missing');
    expect(await opens(before, {})).to.equal('identity_missing');
    await change({ serverCanRead: true });
    const after = await back();
    expect([await opens(after, {}), await opens(before, {})]).to.deep.equal(['ok', 'identity_wrong']);
  });

  it('do not write what nobody could read: without the locked identity of a passphrase that is alone', async function () {
    this.timeout(60_000);
    await server.init({ passphraseFile: file('passphrase', PASSPHRASE) });
    const [locked] = globSync(join(server.repository, 'servers/*/keys/*.age')) as [string];
    const copy = readFileSync(locked);
    rmSync(locked);
    expect((await failureOf(() => server.back('full'))).code).to.equal('identity_missing');
    expect(server.objects('packs')).to.deep.equal([]);
    await change({ recipients: [first.recipient] });
    await back();
    expect(server.log.map(({ code }) => code)).to.include('identity_missing');
    writeFileSync(locked, copy);
    server.log.length = 0;
    await back();
    expect(server.log.map(({ code }) => code)).not.to.include('identity_missing');
  });

  it('of a new server in an encrypted repository are those that it was made for, and without any it writes nothing', async () => {
    await server.init({ recipients: [first.recipient] });
    await server.init({ newServer: true });
    await back();
    expect(lastRecord()).to.include('.tar.zst.age');
    const other = new Sandbox();
    try {
      await other.init({ passphraseFile: file('passphrase', PASSPHRASE) });
      const failure = await failureOf(() => other.init({ newServer: true }));
      expect(failure.code).to.equal('usage');
      expect((await failureOf(() => other.back('full'))).code).to.equal('usage');
      expect(other.objects('packs')).to.deep.equal([]);
      await other.init({ recipients: [first.recipient] });
      expect((await other.back('full')).error).to.equal(null);
    } finally {
      await other.remove();
    }
  });

  it('of an init that ended between its steps are asked for again, and nothing is written before', async () => {
    await server.init({ passphraseFile: file('passphrase', PASSPHRASE) });
    // As it is after the crash: the repository says that it is encrypted, and nobody for whom.
    for (const path of globSync(join(server.repository, 'servers/*/keys/*'))) rmSync(path);
    rmSync(server.stateDirectory, { recursive: true });
    expect((await failureOf(() => server.back('full'))).code).to.equal('usage');
    await server.init({ recipients: [first.recipient] });
    const snapshot = await back();
    expect(await opens(snapshot, { identity: file('one', first.secret) })).to.equal('ok');
  });

  it('may be said once more by an init that was stopped before it could say that it was done, as long as nothing is stored', async () => {
    const request = { recipients: [first.recipient], serverCanRead: true };
    await server.init(request);
    const { keys } = await change({});
    await server.init(request);
    expect((await change({})).keys).to.deep.equal(keys);
    expect((await failureOf(() => server.init({ recipients: [first.recipient] }))).code).to.equal('usage');
    expect((await failureOf(() => server.init({ ...request, passphraseFile: file('passphrase', PASSPHRASE) }))).code).to.equal('usage');
    await back();
    expect((await failureOf(() => server.init(request))).code).to.equal('usage');
  });

  it('are shown by version, which needs no repository', async () => {
    expect((await version({}, server.context)).keys).to.equal(null);
    await server.init({ recipients: [first.recipient] });
    rmSync(server.repository, { recursive: true });
    expect((await version({}, server.context)).keys).to.deep.include({ mode: 'write-only', recipients: [first.recipient] });
  });

  it('that read lie in the state directory alone, for root alone', async () => {
    await server.init({ recipients: [first.recipient], serverCanRead: true });
    await back();
    const secret = identities().trim();
    expect(secret).to.match(/^AGE-SECRET-KEY-1/);
    const [path] = globSync(join(server.stateDirectory, 'repositories/*/identities')) as [string];
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    for (const object of globSync(join(server.repository, '**/*'))) {
      if (statSync(object).isFile()) expect(readFileSync(object).toString('latin1')).not.to.include(secret);
    }
    expect(JSON.stringify([server.log, await change({}), await version({}, server.context)])).not.to.include('AGE-SECRET-KEY');
  });
});
