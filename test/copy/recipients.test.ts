import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { METHODS, type RequestOf, type ResultOf } from '../../core/commands/registry.ts';
import type { Settings } from '../../core/config/settings.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';

const SECRET = 'a secret of this account';
const REASON = 'the reason of a hold';

/** Somebody who can read: the recipient, and a file with the identity. */
interface Reader {
  readonly recipient: string;
  readonly file: string;
}

type Copies = Settings['copies'];

async function perform<Name extends MethodName>(on: Sandbox, name: Name, request: RequestOf<Name>): Promise<ResultOf<Name>> {
  const method = METHODS.get(name);
  expect(method?.check(request), JSON.stringify(method?.check(request))).to.equal(undefined);
  return (await method?.perform(request, on.context)) as ResultOf<Name>;
}

async function readerIn(folder: string, name: string): Promise<Reader> {
  const { secret, recipient } = await newIdentity();
  const file = join(folder, name);
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return { recipient, file };
}

async function copy(on: Sandbox) {
  const [end] = (await perform(on, 'copy', {})).copies;
  if (process.env.DEBUG)
    console.log(JSON.stringify(end?.problems.map(({ code, message }) => [code, message])), end?.error?.message, end?.objects);
  return end as NonNullable<typeof end>;
}

const filesOf = (place: string) => globSync(join(place, '**/*')).filter((file) => statSync(file).isFile());

/** A machine that knows nothing but where the copy is. */
async function onNewMachine(place: string, action: (machine: Sandbox) => Promise<void>): Promise<void> {
  const machine = new Sandbox();
  try {
    rmSync(machine.shadow, { recursive: true });
    machine.set('repository', place);
    await action(machine);
  } finally {
    await machine.remove();
  }
}

describe('a copy for recipients of its own', () => {
  let sandbox: Sandbox;
  let far: string;
  let reader: Reader;
  let stranger: Reader;
  let hold: string;

  before(async () => {
    sandbox = new Sandbox();
    far = join(sandbox.folder, 'far');
    reader = await readerIn(sandbox.folder, 'reader');
    stranger = await readerIn(sandbox.folder, 'stranger');
    sandbox.set('databases', { method: 'none' });
    await sandbox.init();
    mkdirSync(join(sandbox.shadow, 'folder'));
    writeFileSync(join(sandbox.shadow, 'folder/a'), SECRET);
    // Not to be compressed, and of more than one part.
    const { stdout } = await execa('openssl', ['rand', '5000000'], { encoding: 'buffer' });
    writeFileSync(join(sandbox.shadow, 'large'), stdout);
    await sandbox.back();
    writeFileSync(join(sandbox.shadow, 'b'), 'two');
    await sandbox.back();
    const { snapshots } = await perform(sandbox, 'list', { unit: 'site1' });
    hold = snapshots[0]?.id as string;
    await perform(sandbox, 'hold', { snapshot: hold, reason: REASON });
    set({});
  });
  after(() => sandbox.remove());

  function set(more: Partial<Copies[number]>): void {
    sandbox.set('copies', [{ name: 'far', repository: far, recipients: [reader.recipient], ...more }]);
  }
  const listed = async () => (await perform(sandbox, 'list', { unit: 'site1', fromCopy: 'far' })).snapshots.map(({ id }) => id);
  const verified = async () => (await perform(sandbox, 'verify', { fromCopy: 'far', identity: reader.file })).status;
  const stateOfCopy = () => globSync(join(sandbox.stateDirectory, 'repositories/*/copies/far'))[0] as string;
  const fileOf = (glob: string) => globSync(join(far, `servers/*/${glob}`)).sort()[0] as string;

  it('of a plain repository shows nothing of what is in it, and is sent once', async () => {
    const first = await copy(sandbox);
    expect(first).to.deep.include({ status: 'ok', problems: [], snapshots: 2 });
    const files = filesOf(far);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const word of [SECRET, 'example.test', 'admin1', REASON, 'folder', 'virtual']) {
        expect(bytes.includes(word), `${word} in ${file}`).to.equal(false);
      }
    }
    const encrypted = files.filter((file) => /\/(packs|manifests)\//.test(file));
    expect(encrypted).to.have.length.at.least(4);
    for (const file of encrypted) expect(readFileSync(file, 'latin1').slice(0, 22), file).to.equal('age-encryption.org/v1\n');
    expect(first.bytes).to.equal(
      files
        .filter((file) => !/\/(repository\.json|server\.json|keys\/.*|deletions\/.*)$/.test(file))
        .reduce((sum, file) => sum + statSync(file).size, 0),
    );
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0, bytes: 0 });
    expect(filesOf(far)).to.deep.equal(files);
    expect(sandbox.log.splice(0)).to.deep.equal([]);
    const { units } = await perform(sandbox, 'status', {});
    expect(units.find(({ unit }) => unit === 'site1')?.copies[0]).to.include({ newest: true, overdue: false });
    const { checks } = await perform(sandbox, 'doctor', {});
    expect(checks.filter(({ check }) => check === 'copy').map(({ result }) => result)).to.deep.equal(['ok']);
    // Where nothing is encrypted, why a level was taken may have paths.
    const reasons = (place: string) =>
      globSync(join(place, 'servers/*/units/*/snapshots/*')).map((file) => JSON.parse(readFileSync(file, 'utf8')).reason);
    for (const reason of reasons(sandbox.repository)) expect(reasons(far)).to.not.include(reason);
  });

  it('opens with `age`, `zstd` and `tar`, as the format says', async () => {
    const to = join(sandbox.folder, 'by-hand');
    mkdirSync(to);
    const packs = globSync(join(far, 'servers/*/units/site1-*/packs/*')).sort();
    for (const pack of packs) {
      const plain = join(sandbox.folder, 'plain.tar');
      const { stdout } = await execa('age', ['-d', '-i', reader.file, pack], { encoding: 'buffer' });
      const { stdout: tar } = await execa('zstd', ['-dc'], { input: stdout, encoding: 'buffer' });
      writeFileSync(plain, tar);
      await execa('tar', ['-xpf', plain, '-C', to, '--exclude=.apiscp-backup']);
    }
    expect(await compareTrees(join(sandbox.shadow, 'folder'), join(to, 'shadow/folder'))).to.deep.equal([]);
    expect(readFileSync(join(to, 'shadow/large')).equals(readFileSync(join(sandbox.shadow, 'large')))).to.equal(true);
    const record = JSON.parse(readFileSync(fileOf('units/site1-*/snapshots/*'), 'utf8'));
    const sealed = Buffer.from(record.sealed.age, 'base64');
    const { stdout } = await execa('age', ['-d', '-i', reader.file], { input: sealed });
    expect(JSON.parse(stdout).members.roots.map(({ name }: { name: string }) => name)).to.include('shadow');
    expect((await execa('age', ['-d', '-i', stranger.file, packs[0] as string], { reject: false })).exitCode).to.equal(1);
  });

  it('is read with their keys alone, here and on a machine that has nothing else', async () => {
    const restored = async (on: Sandbox, more: object) => {
      const to = join(on.folder, 'restored');
      await perform(on, 'restore', { unit: 'site1', to, ...more });
      expect(await compareTrees(sandbox.shadow, join(to, 'shadow'))).to.deep.equal([]);
    };
    await restored(sandbox, { fromCopy: 'far', identity: reader.file });
    expect(await verified()).to.equal('ok');
    expect((await perform(sandbox, 'verify', { fromCopy: 'far', quick: true })).status).to.equal('ok');
    expect(await failureOf(() => perform(sandbox, 'verify', { fromCopy: 'far' }))).to.include({ code: 'identity_missing' });
    const to = join(sandbox.folder, 'nowhere');
    expect(await failureOf(() => perform(sandbox, 'restore', { unit: 'site1', to, fromCopy: 'far' }))).to.include({
      code: 'identity_missing',
    });
    await onNewMachine(far, async (machine) => {
      for (const identity of [undefined, stranger.file]) {
        const code = identity === undefined ? 'identity_missing' : 'identity_wrong';
        const request = { unit: 'site1', to, ...(identity === undefined ? {} : { identity }) };
        expect(await failureOf(() => perform(machine, 'restore', request))).to.include({ code });
      }
      await restored(machine, { identity: reader.file });
      expect((await perform(machine, 'verify', { identity: reader.file })).status).to.equal('ok');
      const held = fileOf('holds/*');
      const { sealed } = JSON.parse(readFileSync(held, 'utf8'));
      const { stdout } = await execa('age', ['-d', '-i', reader.file], { input: Buffer.from(sealed.age, 'base64') });
      expect(JSON.parse(stdout).members).to.deep.equal({ reason: REASON });
    });
  });

  it('is not sent again when what was remembered of it is lost or damaged', async () => {
    const journal = join(stateOfCopy(), 'sent.jsonl');
    const text = readFileSync(journal, 'utf8');
    for (const state of [
      '',
      text.slice(0, text.length / 2),
      `${text}{"path":"units`,
      text.replaceAll('"sha256"', '"sha'),
      'nonsense\n'.repeat(3),
    ]) {
      writeFileSync(journal, state);
      expect(await copy(sandbox), JSON.stringify(state.slice(0, 80))).to.deep.include({ status: 'ok', objects: 0, bytes: 0, problems: [] });
    }
    rmSync(stateOfCopy(), { recursive: true });
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0, bytes: 0, problems: [] });
    const other = globSync(join(sandbox.stateDirectory, 'repositories/*/copy-of.json'))[0] as string;
    rmSync(stateOfCopy(), { recursive: true });
    rmSync(other);
    expect(await copy(sandbox), 'not even which repository it is of').to.deep.include({ status: 'ok', objects: 0, bytes: 0, problems: [] });
    expect(await verified()).to.equal('ok');
  });

  it('is put in order again, with a word of it, when somebody cuts or removes something there', async () => {
    const newest = (await listed()).at(-1) as string;
    const attacks: [string | undefined, () => void][] = [
      ['repository_damaged', () => truncateSync(fileOf('units/site1-*/packs/*'), 100)],
      ['history_missing', () => rmSync(fileOf(`units/site1-*/snapshots/${newest}.json`))],
      ['history_missing', () => rmSync(globSync(join(far, 'servers/*/runs/*')).sort().at(-1) as string)],
      ['history_missing', () => rmSync(fileOf('units/site1-*'), { recursive: true })],
      ['repository_damaged', () => truncateSync(fileOf('units/site1-*/unit.json'), 100)],
      ['repository_damaged', () => truncateSync(fileOf('server.json'), 100)],
      [undefined, () => rmSync(fileOf('units/site1-*/packs/*'))],
      [undefined, () => rmSync(fileOf('units/site1-*/manifests/*'))],
      [undefined, () => rmSync(fileOf('keys/*'))],
      [undefined, () => rmSync(fileOf('deletions/*'))],
      [undefined, () => rmSync(join(far, 'repository.json'))],
      [undefined, () => rmSync(fileOf('server.json'))],
    ];
    for (const [index, [code, attack]] of attacks.entries()) {
      if (process.env.SLOW !== '1' && [2, 5, 7, 9].includes(index)) continue;
      attack();
      const end = await copy(sandbox);
      if (code !== undefined)
        expect(
          end.problems.map((problem) => problem.code),
          `${index}`,
        ).to.include(code);
      expect(await copy(sandbox), `${index}`).to.deep.include({ status: 'ok', objects: 0, problems: [] });
      if (process.env.SLOW === '1' || [0, 3, 8].includes(index)) expect(await verified(), `${index}`).to.equal('ok');
    }
    expect(await listed()).to.include(newest);
  });

  it('does not take what another key signed, and gets what this server signed in its place', async () => {
    const files = [fileOf('units/site1-*/snapshots/*'), fileOf('units/site1-*/unit.json'), fileOf('runs/*')];
    rmSync(join(stateOfCopy(), 'sent.jsonl'));
    for (const file of files) writeFileSync(file, readFileSync(file, 'utf8').replace('"formatVersion": 1', '"formatVersion":  1'));
    const end = await copy(sandbox);
    expect(end.problems.map(({ code }) => code)).to.include('repository_damaged');
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0, problems: [] });
    // What this server signed for the repository is in clear, and does not belong here.
    rmSync(join(stateOfCopy(), 'sent.jsonl'));
    for (const file of files) cpSync(file.replace(far, sandbox.repository), file);
    expect((await copy(sandbox)).status).to.equal('partial');
    for (const file of files) expect(readFileSync(file, 'utf8'), file).to.contain('"sealed"');
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0, problems: [] });
    expect(await verified()).to.equal('ok');
  });

  it('is for others from when the settings say so', async () => {
    set({ recipients: [stranger.recipient, reader.recipient] });
    const [old] = (await listed()).slice(-1);
    writeFileSync(join(sandbox.shadow, 'c'), 'three');
    await sandbox.back();
    set({ recipients: [stranger.recipient] });
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', snapshots: 1 });
    const to = join(sandbox.folder, 'both');
    const restore = (at: string, identity: string) =>
      failureOf(() => perform(sandbox, 'restore', { unit: 'site1', at, to, fromCopy: 'far', identity }));
    const [now] = (await listed()).slice(-1) as [string];
    expect(await restore(now, reader.file)).to.include({ code: 'identity_wrong' });
    expect(await restore(old as string, stranger.file)).to.include({ code: 'identity_wrong' });
    const both = join(sandbox.folder, 'both-keys');
    writeFileSync(both, readFileSync(reader.file, 'utf8') + readFileSync(stranger.file, 'utf8'));
    expect((await perform(sandbox, 'verify', { fromCopy: 'far', identity: both })).status).to.equal('ok');
    set({});
  });

  it('is refused where it would not be what the settings say, and nothing is written', async () => {
    const before = filesOf(far);
    const refusal = async () => (await copy(sandbox)).error?.code;
    sandbox.set('copies', [{ name: 'far', repository: far }]);
    expect(await refusal(), 'without its recipients').to.equal('repository_foreign');
    const same = join(sandbox.folder, 'same');
    mkdirSync(same);
    sandbox.set('copies', [{ name: 'same', repository: same }]);
    expect(await refusal()).to.equal(undefined);
    sandbox.set('copies', [{ name: 'same', repository: same, recipients: [reader.recipient] }]);
    expect(await refusal(), 'in the bytes of the repository').to.equal('repository_foreign');
    const doctor = await perform(sandbox, 'doctor', {});
    expect(
      doctor.checks
        .filter(({ check }) => check === 'copy')
        .map(({ message }) => message)
        .join(),
    ).to.contain('in the bytes of the repository');
    // Emptied, it is as good as another place, whatever was there.
    for (const recipients of [[reader.recipient], undefined]) {
      rmSync(same, { recursive: true });
      sandbox.set('copies', [{ name: 'same', repository: same, ...(recipients === undefined ? {} : { recipients }) }]);
      expect(await refusal()).to.equal(undefined);
      expect(filesOf(same).some((file) => file.endsWith('.age'))).to.equal(recipients !== undefined);
    }
    const other = new Sandbox();
    try {
      other.set('databases', { method: 'none' });
      await other.init();
      sandbox.set('copies', [{ name: 'other', repository: other.repository, recipients: [reader.recipient] }]);
      expect(await refusal(), 'somebody’s repository').to.equal('repository_foreign');
      await other.back();
      const shared = join(sandbox.folder, 'shared');
      for (const server of [sandbox, other]) {
        server.set('copies', [{ name: 'shared', repository: shared, recipients: [reader.recipient] }]);
        expect((await copy(server)).status, 'one place for the copies of several servers').to.equal('ok');
      }
    } finally {
      await other.remove();
    }
    for (const recipients of [[], ['age1short'], [reader.recipient.replace('age1', 'AGE1')], ['AGE-SECRET-KEY-1']]) {
      expect(() => set({ recipients }), recipients.join()).to.throw();
    }
    set({ recipients: [`${reader.recipient.slice(0, -1)}${reader.recipient.endsWith('q') ? 'p' : 'q'}`] });
    expect(await refusal(), 'a recipient that nobody has').to.equal('usage');
    set({});
    expect(filesOf(far)).to.deep.equal(before);
  });

  it('keeps what its own retention says, and does not get back what that deleted', async () => {
    set({ retention: { keepLast: 1, guardShare: 1 } });
    sandbox.now = () => new Date(Date.now() + 400 * 86_400_000);
    await sandbox.back('full');
    expect(await copy(sandbox)).to.deep.include({ status: 'ok' });
    await perform(sandbox, 'release', { snapshot: hold });
    await copy(sandbox);
    expect(globSync(join(far, 'servers/*/holds/*'))).to.deep.equal([]);
    await perform(sandbox, 'prune', { fromCopy: 'far', yes: true });
    const left = await listed();
    expect(left).to.have.length(1);
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', snapshots: 0, problems: [] });
    expect(await listed()).to.deep.equal(left);
    expect(await verified()).to.equal('ok');
  });

  it('takes the place of the repository when that is lost, and goes on for its recipients', async () => {
    await onNewMachine(far, async (machine) => {
      cpSync(sandbox.site, machine.site, { recursive: true });
      machine.set('databases', { method: 'none' });
      renameSync(sandbox.repository, `${sandbox.repository}.lost`);
      await machine.back();
      const files = filesOf(far).filter((file) => /\/(packs|manifests)\//.test(file));
      expect(files.filter((file) => !file.endsWith('.age'))).to.deep.equal([]);
      expect((await perform(machine, 'verify', { identity: reader.file })).status).to.equal('ok');
      renameSync(`${sandbox.repository}.lost`, sandbox.repository);
      expect((await copy(sandbox)).error?.code, 'it is no copy any more').to.equal('server_contested');
      expect(existsSync(sandbox.repository)).to.equal(true);
    });
  });
});

describe('a copy for recipients of its own, of a repository that is encrypted', () => {
  let sandbox: Sandbox;
  let far: string;
  let owner: Reader;
  let reader: Reader;

  beforeEach(async () => {
    sandbox = new Sandbox();
    far = join(sandbox.folder, 'far');
    owner = await readerIn(sandbox.folder, 'owner');
    reader = await readerIn(sandbox.folder, 'reader');
    sandbox.set('databases', { method: 'none' });
    sandbox.set('copies', [{ name: 'far', repository: far, recipients: [reader.recipient] }]);
    writeFileSync(join(sandbox.shadow, 'a'), SECRET);
  });
  afterEach(() => sandbox.remove());

  const listed = async (more: object = {}) =>
    (await perform(sandbox, 'list', { unit: 'site1', fromCopy: 'far', ...more })).snapshots.map(({ id }) => id);
  const opens = async (identity: string, object: string) =>
    (await execa('age', ['-d', '-i', identity, object], { reject: false })).exitCode === 0;

  it('is not read by those for whom the repository is, nor the other way round; also where it was plain once', async () => {
    await sandbox.init();
    await sandbox.back();
    await perform(sandbox, 'keys', { recipients: [owner.recipient], serverCanRead: true });
    writeFileSync(join(sandbox.shadow, 'b'), 'two');
    expect((await sandbox.back()).level).to.equal('incremental');
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', snapshots: 2 });
    const server = globSync(join(sandbox.stateDirectory, 'repositories/*/identities'))[0] as string;
    const there = globSync(join(far, 'servers/*/units/*/{packs,manifests}/*')).sort();
    expect(there.filter((object) => !object.endsWith('.age'))).to.deep.equal([]);
    for (const object of there) {
      expect(await opens(reader.file, object), object).to.equal(true);
      for (const identity of [owner.file, server]) expect(await opens(identity, object), object).to.equal(false);
    }
    const here = globSync(join(sandbox.repository, 'servers/*/units/*/packs/*.age'));
    expect(here).to.have.length.at.least(1);
    for (const object of here) expect([await opens(owner.file, object), await opens(reader.file, object)]).to.deep.equal([true, false]);
    await onNewMachine(far, async (machine) => {
      await perform(machine, 'restore', { unit: 'site1', to: join(machine.folder, 'back'), identity: reader.file });
      expect(await compareTrees(sandbox.shadow, join(machine.folder, 'back/shadow'))).to.deep.equal([]);
      expect((await perform(machine, 'verify', { identity: reader.file })).status).to.equal('ok');
    });
    // What is encrypted goes on as it was.
    expect((await perform(sandbox, 'verify', {})).status).to.equal('ok');
    expect(await sandbox.differences(undefined)).to.deep.equal([]);
  });

  it('says each time what it lost of its own history, until that is accepted', async () => {
    await sandbox.init();
    for (const content of ['one', 'two', 'three']) {
      writeFileSync(join(sandbox.shadow, 'a'), content);
      await sandbox.back('full');
      if (content === 'two') await copy(sandbox);
    }
    sandbox.set('retention', { keepLast: 0, guardShare: 1 });
    await perform(sandbox, 'prune', { yes: true });
    sandbox.set('retention', {});
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', snapshots: 1, problems: [] });
    const records = globSync(join(far, 'servers/*/units/site1-*/snapshots/*')).sort();
    expect(records).to.have.length(3);
    rmSync(records[0] as string);
    for (const _ of [1, 2]) {
      const { status, problems } = await copy(sandbox);
      expect([status, ...problems.map(({ code }) => code)]).to.deep.equal(['partial', 'history_missing']);
      expect(problems[0]?.affected.map((name) => join(far, name))).to.deep.equal([records[0]]);
    }
    // Nor is it forgotten with all that the repository has of the account.
    const [unit] = globSync(join(sandbox.repository, 'servers/*/units/site1-*'));
    renameSync(unit as string, join(sandbox.folder, 'away'));
    for (const _ of [1, 2]) expect((await copy(sandbox)).problems.map(({ code }) => code)).to.include('history_missing');
    renameSync(join(sandbox.folder, 'away'), unit as string);
    await perform(sandbox, 'prune', { fromCopy: 'far', acceptMissing: true, yes: true });
    expect(await copy(sandbox)).to.deep.include({ status: 'ok', problems: [] });
  });

  it('is refused where the server only writes, and has what it can read from when it can', async () => {
    await sandbox.init({ recipients: [owner.recipient] });
    await sandbox.back();
    const refused = await copy(sandbox);
    expect(refused.error).to.include({ code: 'identity_missing' });
    expect(refused.error?.message).to.contain('only writes');
    expect(existsSync(far)).to.equal(false);
    const checks = (await perform(sandbox, 'doctor', {})).checks.filter(({ check }) => check === 'copy');
    expect(checks.map(({ result }) => result)).to.deep.equal(['problem']);
    await perform(sandbox, 'keys', { serverCanRead: true });
    writeFileSync(join(sandbox.shadow, 'b'), 'two');
    await sandbox.back('incremental');
    const partly = await copy(sandbox);
    expect(partly).to.deep.include({ status: 'partial', snapshots: 0, problemCount: 1 });
    expect(partly.problems[0]).to.include({ code: 'identity_wrong' });
    await sandbox.back('full');
    const more = await copy(sandbox);
    expect(more).to.deep.include({ status: 'partial', snapshots: 1, problemCount: 1 });
    expect(more.problems[0]?.message).to.match(/^2 of the snapshots of site1/);
    expect(await listed()).to.have.length(1);
    await perform(sandbox, 'restore', { unit: 'site1', to: join(sandbox.folder, 'back'), fromCopy: 'far', identity: reader.file });
    expect(await compareTrees(sandbox.shadow, join(sandbox.folder, 'back/shadow'))).to.deep.equal([]);
    const { units } = await perform(sandbox, 'list', { fromCopy: 'far', identity: reader.file }).then(({ snapshots }) => ({
      units: snapshots,
    }));
    expect(units.map(({ domain }) => domain)).to.deep.equal(['example.test']);
  });

  for (const isEncrypted of [true, false])
    it(`lacks what is damaged in ${isEncrypted ? 'the' : 'a plain'} repository, and gets it when it is whole again`, async () => {
      await sandbox.init(isEncrypted ? { recipients: [owner.recipient], serverCanRead: true } : {});
      await sandbox.back();
      const objects = globSync(join(sandbox.repository, 'servers/*/units/site1-*/{packs,manifests}/*'));
      for (const object of objects) {
        const sound = readFileSync(object);
        const bytes = Buffer.from(sound);
        // In the header, of which no reader needs each byte, and in what is encrypted.
        for (const at of [30, bytes.length - 5]) {
          bytes[at] = (sound[at] as number) ^ 1;
          writeFileSync(object, bytes);
          expect(await copy(sandbox), `${object} ${at}`).to.deep.include({ status: 'partial', snapshots: 0 });
          expect(await listed()).to.deep.equal([]);
          writeFileSync(object, sound);
          bytes[at] = sound[at] as number;
          // The place is lost, and made anew.
          rmSync(far, { recursive: true });
        }
      }
      expect(await copy(sandbox)).to.include({ snapshots: 1 });
      expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0 });
      expect((await perform(sandbox, 'verify', { fromCopy: 'far', identity: reader.file })).status).to.equal('ok');
      if (isEncrypted) return;
      // Of a place that is lost nothing is missed that the repository does not have any more.
      sandbox.now = () => new Date(Date.now() + 400 * 86_400_000);
      await sandbox.back('full');
      expect(await copy(sandbox)).to.deep.include({ status: 'ok', snapshots: 1 });
      sandbox.set('retention', { keepLast: 1, guardShare: 1 });
      await perform(sandbox, 'prune', { yes: true });
      expect(await listed()).to.have.length(2);
      rmSync(far, { recursive: true });
      expect(await copy(sandbox)).to.include({ snapshots: 1 });
      expect(await copy(sandbox)).to.deep.include({ status: 'ok', objects: 0, problems: [] });
      expect((await perform(sandbox, 'verify', { fromCopy: 'far', identity: reader.file })).status).to.equal('ok');
      const known = globSync(join(sandbox.stateDirectory, 'repositories/*/copy-of.json'))[0] as string;
      rmSync(known);
      mkdirSync(known);
      expect((await copy(sandbox)).error, 'where it cannot be remembered what the place is').to.include({ code: 'io_error' });
    });
});
