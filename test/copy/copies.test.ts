import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { renderStatus } from '../../core/cli/service-results.ts';
import { METHODS, type RequestOf, type ResultOf } from '../../core/commands/registry.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';

describe('copies of a repository', () => {
  let sandbox: Sandbox;
  let near: string;
  let far: string;

  beforeEach(async () => {
    sandbox = new Sandbox();
    near = join(sandbox.folder, 'near');
    far = join(sandbox.folder, 'far');
    sandbox.set('copies', [
      { name: 'near', repository: near },
      { name: 'far', repository: far },
    ]);
    sandbox.set('databases', { method: 'none' });
    await sandbox.init();
    writeFileSync(join(sandbox.shadow, 'a'), 'one');
    await sandbox.back();
    writeFileSync(join(sandbox.shadow, 'b'), 'two');
    await sandbox.back();
  });
  afterEach(() => sandbox.remove());

  async function perform<Name extends MethodName>(name: Name, request: RequestOf<Name>): Promise<ResultOf<Name>> {
    const method = METHODS.get(name);
    expect(method?.check(request), JSON.stringify(method?.check(request))).to.equal(undefined);
    return (await method?.perform(request, sandbox.context)) as ResultOf<Name>;
  }
  const copy = (...copies: string[]) => perform('copy', copies.length === 0 ? {} : { copies });
  const ends = async (...copies: string[]) => (await copy(...copies)).copies.map(({ status }) => status);
  const listed = async (fromCopy?: string) =>
    (await perform('list', { unit: 'site1', ...(fromCopy === undefined ? {} : { fromCopy }) })).snapshots.map(({ id }) => id);
  const objectsOf = (place: string) => globSync(join(place, 'servers/*/**/*.*'), { withFileTypes: false }).sort();
  const told = () => sandbox.log.splice(0).map(({ code }) => code);

  it('have all that there is, and restore it when the repository is gone', async () => {
    expect(await copy()).to.deep.include({ status: 'ok' });
    const before = await listed();
    rmSync(sandbox.repository, { recursive: true });
    expect(await listed('near')).to.deep.equal(before);
    expect(await listed('far')).to.deep.equal(before);
    const to = join(sandbox.folder, 'restored');
    await perform('restore', { unit: 'site1', to, fromCopy: 'far' });
    expect(await compareTrees(sandbox.shadow, join(to, 'shadow'))).to.deep.equal([]);
    expect((await perform('verify', { fromCopy: 'near' })).status).to.equal('ok');
    expect(await failureOf(() => perform('list', { fromCopy: 'nowhere' }))).to.include({ code: 'usage' });
  });

  it('get what is new, and nothing twice', async () => {
    const [first] = (await copy('near')).copies;
    expect(first).to.include({ snapshots: 2, status: 'ok' });
    const [again] = (await copy('near')).copies;
    expect(again).to.include({ snapshots: 0, objects: 0, bytes: 0, status: 'ok' });
    writeFileSync(join(sandbox.shadow, 'c'), 'three');
    await sandbox.back();
    const [third] = (await copy('near')).copies;
    expect(third).to.include({ snapshots: 1, status: 'ok' });
    // A pack, a manifest, the record, and the record of the run.
    expect(third?.objects).to.equal(4);
    expect(await listed('near')).to.deep.equal(await listed());
    expect(told()).to.deep.equal([]);
  });

  it('do not stop each other, and each says how it stands', async () => {
    writeFileSync(near, 'no folder');
    const result = await copy();
    expect(result.status).to.equal('partial');
    expect(result.copies.map(({ status }) => status)).to.deep.equal(['failed', 'ok']);
    expect(result.copies[0]?.error?.code).to.be.a('string');
    const { copies, status } = await perform('status', {});
    expect(copies.map((each) => each.status)).to.deep.equal(['failed', 'ok']);
    expect(copies.map(({ lastGood }) => lastGood === null)).to.deep.equal([true, false]);
    expect(status).to.not.equal('ok');
  });

  it('are told of each unit: what each has, whether that is the newest, what a verification found there', async () => {
    const site = async () => (await perform('status', {})).units.find(({ unit }) => unit === 'site1')!;
    const none = { snapshot: null, newest: false, time: null, overdue: true, verified: null, damaged: false };
    expect((await site()).copies).to.deep.equal([
      { name: 'near', ...none },
      { name: 'far', ...none },
    ]);
    await copy('near');
    const [near0] = (await site()).copies;
    expect(near0).to.include({ snapshot: (await listed()).at(-1), newest: true, overdue: false });
    // What was found unchanged since stands in the copy up to the moment of its making.
    sandbox.now = () => new Date(Date.now() + 3_600_000);
    expect((await sandbox.back()).status).to.equal('unchanged');
    const [unchanged] = (await site()).copies;
    expect(unchanged).to.include({ newest: true });
    expect(Date.parse(unchanged!.time!)).to.be.at.least(Date.parse(near0!.time!)).and.below(Date.now());
    sandbox.now = () => new Date(Date.now() + 3 * 86_400_000);
    writeFileSync(join(sandbox.shadow, 'c'), 'three');
    await sandbox.back();
    expect((await site()).copies[0]).to.include({ snapshot: near0!.snapshot, newest: false, overdue: true });
    await copy('near');
    expect((await site()).copies[0]).to.include({ snapshot: (await listed()).at(-1), newest: true, overdue: false });
    truncateSync(globSync(join(near, 'servers/*/units/site1-*/packs/*'))[0] as string, 10);
    await perform('verify', { fromCopy: 'near' });
    const found = await perform('status', {});
    expect(found.problems.map(({ code, unit, message }) => `${code} ${unit} ${message}`).join()).to.match(
      /damaged site1 .*damage in the copy near/,
    );
    expect((await site()).copies[0]).to.include({ damaged: true });
    expect(renderStatus(found)).to.contain('COPIES').and.to.contain('near: damaged, far: none, overdue');
  });

  it('are not made into another repository, and not of what another machine has', async () => {
    const other = new Sandbox();
    try {
      await other.init();
      sandbox.set('copies', [{ name: 'near', repository: other.repository }]);
      expect((await copy()).copies[0]?.error?.code).to.equal('repository_foreign');
      sandbox.set('copies', []);
      expect(await failureOf(() => copy())).to.include({ code: 'usage' });
    } finally {
      await other.remove();
    }
  });

  it('lack a snapshot that is damaged, and have the others', async () => {
    sandbox.addAccount('site2');
    writeFileSync(join(sandbox.folder, 'virtual/site2/shadow/x'), 'x');
    await perform('run', { units: ['site2'] });
    const [full] = await listed();
    const pack = sandbox.objects('packs').find((file) => file.includes(full as string)) as string;
    const bytes = readFileSync(pack);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(pack, bytes);
    const [end] = (await copy('near')).copies;
    expect(end).to.include({ status: 'partial', problemCount: 2, snapshots: 1 });
    expect(await listed('near'), 'what builds on it is not there either').to.deep.equal([]);
    expect((await perform('list', { unit: 'site2', fromCopy: 'near' })).snapshots).to.have.length(1);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(pack, bytes);
    expect(await ends('near')).to.deep.equal(['ok']);
    expect(await listed('near')).to.deep.equal(await listed());
  });

  it('are put in order again, with a word of it, when somebody cuts or removes something there', async () => {
    expect(await ends()).to.deep.equal(['ok', 'ok']);
    const newest = (await listed()).at(-1) as string;
    const file = (glob: string) => globSync(join(near, `servers/*/${glob}`))[0] as string;
    const attacks: [string, () => void][] = [
      ['repository_damaged', () => truncateSync(file('units/site1-*/packs/*'), 10)],
      ['history_missing', () => rmSync(file(`units/site1-*/snapshots/${newest}.json`))],
      ['history_missing', () => rmSync(globSync(join(near, 'servers/*/runs/*')).sort().at(-1) as string)],
      ['history_missing', () => rmSync(file('units/site1-*'), { recursive: true })],
    ];
    for (const [code, attack] of attacks) {
      attack();
      const [end] = (await copy('near')).copies;
      expect(end, code).to.deep.include({ status: 'partial' });
      expect(end?.problems.map((problem) => problem.code)).to.include(code);
      expect(await ends('near'), code).to.deep.equal(['ok']);
      expect((await perform('verify', { fromCopy: 'near' })).status).to.equal('ok');
    }
  });

  it('are verified by themselves, and what is wrong in one is nothing to the next backup', async () => {
    await copy('near');
    const pack = globSync(join(near, 'servers/*/units/site1-*/packs/*')).sort()[0] as string;
    const bytes = readFileSync(pack);
    writeFileSync(pack, Buffer.concat([Buffer.from([~(bytes[0] as number) & 0xff]), bytes.subarray(1)]));
    expect((await perform('verify', { fromCopy: 'near' })).status).to.equal('damaged');
    expect((await perform('verify', {})).status).to.equal('ok');
    writeFileSync(join(sandbox.shadow, 'c'), 'three');
    expect((await sandbox.back()).level).to.equal('incremental');
    // A record that somebody else made is none.
    const record = globSync(join(near, 'servers/*/units/site1-*/snapshots/*')).sort()[0] as string;
    const text = readFileSync(record, 'utf8');
    writeFileSync(record, text.replace('"formatVersion": 1', '"formatVersion":  1'));
    sandbox.log.length = 0;
    await listed('near');
    expect(told()).to.include('repository_damaged');
  });

  it('keep what their own retention says, and do not get back what that deleted', async () => {
    sandbox.now = () => new Date(Date.now() + 400 * 86_400_000);
    await sandbox.back('full');
    const all = await listed();
    sandbox.set('copies', [{ name: 'near', repository: near, retention: { keepLast: 1, guardShare: 1 } }]);
    await copy('near');

    expect(await listed('near')).to.deep.equal(all.slice(-1));
    expect((await perform('verify', { fromCopy: 'near' })).status).to.equal('ok');
    expect(await ends('near')).to.deep.equal(['ok']);
    // One that has more, from before the rules.
    cpSync(sandbox.repository, far, { recursive: true });
    sandbox.set('copies', [{ name: 'far', repository: far, retention: { keepLast: 1, guardShare: 1 } }]);
    await perform('prune', { fromCopy: 'far', yes: true });
    expect(await listed('far')).to.deep.equal(all.slice(-1));
    expect(await listed(), 'the repository itself').to.deep.equal(all);
    expect(await ends('far')).to.deep.equal(['ok']);
    expect(await listed('far')).to.deep.equal(all.slice(-1));
    expect((await perform('verify', { fromCopy: 'far' })).status).to.equal('ok');
  });

  it('have holds and notes as long as the repository has them', async () => {
    const [id] = await listed();
    await perform('hold', { snapshot: id as string, reason: 'a case' });
    await copy('near');
    expect(globSync(join(near, 'servers/*/holds/*'))).to.have.length(1);
    await perform('release', { snapshot: id as string });
    expect(await ends('near')).to.deep.equal(['ok']);
    expect(globSync(join(near, 'servers/*/holds/*'))).to.deep.equal([]);
  });

  it('of an encrypted repository are as encrypted, and are read with the same keys', async () => {
    const encrypted = new Sandbox();
    try {
      encrypted.set('databases', { method: 'none' });
      encrypted.set('copies', [{ name: 'near', repository: near }]);
      await encrypted.init({ serverCanRead: true, recipients: ['age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'] });
      writeFileSync(join(encrypted.shadow, 'a'), 'a secret of this account');
      await encrypted.back();
      const method = (name: MethodName, request: object) =>
        METHODS.get(name)?.perform(request, encrypted.context) as Promise<{ status: string }>;
      expect((await method('copy', {})).status).to.equal('ok');
      for (const file of objectsOf(near)) if (statSync(file).isFile()) expect(readFileSync(file).includes('a secret of')).to.equal(false);
      rmSync(encrypted.repository, { recursive: true });
      await method('restore', { unit: 'site1', to: join(encrypted.folder, 'back'), fromCopy: 'near' });
      expect(readFileSync(join(encrypted.folder, 'back/shadow/a'), 'utf8')).to.equal('a secret of this account');
      expect((await method('verify', { fromCopy: 'near' })).status).to.equal('ok');
    } finally {
      await encrypted.remove();
    }
  });

  it('are private, and have every object in the same bytes', async () => {
    await copy('near');
    expect(statSync(near).mode & 0o022).to.equal(0);
    const names = objectsOf(sandbox.repository).map((file) => file.slice(sandbox.repository.length));
    expect(objectsOf(near).map((file) => file.slice(near.length))).to.deep.equal(names);
    for (const name of names.filter((each) => statSync(join(near, each)).isFile()))
      expect(readFileSync(join(near, name)).equals(readFileSync(join(sandbox.repository, name))), name).to.equal(true);
  });

  it('cannot share a place or a name', () => {
    const wrong = [
      [{ name: 'a', repository: sandbox.repository }],
      [{ name: 'a', repository: `${sandbox.repository}/` }],
      [
        { name: 'a', repository: near },
        { name: 'a', repository: far },
      ],
      [{ name: 'a', repository: `${sandbox.folder}//x/../repository` }],
      [{ name: 'a', repository: join(sandbox.repository, 'servers/copy') }],
      [{ name: 'a', repository: sandbox.folder }],
      [
        { name: 'a', repository: 's3:https://S3.example.com:443/bucket/all/' },
        { name: 'b', repository: 's3:https://s3.example.com/bucket/all/of-it' },
      ],
      [
        { name: 'a', repository: 'sftp:me@Host.example:/srv/a' },
        { name: 'b', repository: 'sftp:me@host.example:22:/srv//a' },
      ],
      [
        { name: 'a', repository: 'rclone:remote:a/b' },
        { name: 'b', repository: 'rclone:remote:a' },
      ],
      [{ name: 'a', repository: 'ftp://x' }],
      [{ name: 'A/b', repository: near }],
    ];
    for (const copies of wrong) expect(() => sandbox.set('copies', copies), JSON.stringify(copies)).to.throw();
    sandbox.set('copies', [
      { name: 'a', repository: 's3:https://s3.example.com/bucket/all' },
      { name: 'b', repository: 's3:https://s3.example.com/bucket/all-others' },
      { name: 'c', repository: 's3:https://s3.example.com/bucket2/all' },
      { name: 'd', repository: 'sftp:me@host.example:23:/srv/a' },
      { name: 'e', repository: 'sftp:me@host.example:/srv/a' },
      { name: 'f', repository: `${sandbox.repository}2` },
    ]);
  });

  it('are none where another name leads to the repository, into it or around it', async () => {
    const [linked, bound] = [join(sandbox.folder, 'linked'), join(sandbox.folder, 'bound')];
    symlinkSync(sandbox.repository, linked);
    mkdirSync(bound);
    execFileSync('mount', ['--bind', sandbox.repository, bound]);
    try {
      for (const repository of [linked, join(linked, 'new'), bound, join(bound, 'servers')]) {
        sandbox.set('copies', [{ name: 'near', repository }]);
        const { copies } = await copy();
        expect(copies[0]?.error, repository).to.include({ code: 'invalid_settings' });
        expect((await perform('status', {})).problems.map(({ code }) => code)).to.include('copy_failed');
      }
    } finally {
      execFileSync('umount', [bound]);
    }
  });

  it('are not deleted by a restore of another one, nor is the repository', async () => {
    const [one, other] = ['one', 'other'].map((name) => join(sandbox.folder, name)) as [string, string];
    for (const folder of [one, other]) mkdirSync(folder);
    renameSync(sandbox.repository, join(one, 'primary'));
    sandbox.set('repository', join(one, 'primary'));
    sandbox.set('copies', [
      { name: 'near', repository: near },
      { name: 'far', repository: join(other, 'far') },
    ]);
    expect(await ends()).to.deep.equal(['ok', 'ok']);
    const refused = (to: string, from: object) => failureOf(() => perform('restore', { unit: 'site1', to, delete: true, ...from }));
    expect((await refused(one, { fromCopy: 'near' })).message).to.contain('one/primary lies in what would be restored with deletion');
    for (const from of [{}, { fromCopy: 'near' }]) expect((await refused(other, from)).message).to.contain('other/far lies in');
  });
});
