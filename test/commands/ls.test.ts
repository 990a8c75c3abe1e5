import { mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ls } from '../../core/commands/ls.ts';
import type { LsRequest, LsResult } from '../../core/schemas/ls.ts';
import { failureOf } from '../failure-of.ts';
import { validateLsResult } from './results.generated.js';
import { Sandbox } from './sandbox.ts';

describe('ls', () => {
  let sandbox: Sandbox;
  let first: string;

  beforeEach(async () => {
    sandbox = new Sandbox();
    const { shadow } = sandbox;
    mkdirSync(join(shadow, 'folder/deep'), { recursive: true });
    mkdirSync(join(shadow, 'folder.d'));
    writeFileSync(join(shadow, 'folder/deep/file'), 'deep', { mode: 0o640 });
    writeFileSync(join(shadow, 'folder/old'), 'old');
    writeFileSync(Buffer.from(join(shadow, 'folder/caf\xe9'), 'latin1'), 'odd');
    symlinkSync('old', join(shadow, 'folder/link'));
    await sandbox.init();
    first = (await sandbox.back('full')).snapshot as string;
    unlinkSync(join(shadow, 'folder/old'));
    writeFileSync(join(shadow, 'folder/new'), 'new');
    await sandbox.back('incremental');
  });

  afterEach(() => sandbox.remove());

  const list = async (request: Partial<LsRequest> = {}): Promise<LsResult> => {
    const result = await ls({ unit: 'site1', ...request }, sandbox.context);
    expect(validateLsResult(result), JSON.stringify(validateLsResult.errors)).to.equal(true);
    return result;
  };
  const paths = async (request: Partial<LsRequest> = {}) => (await list(request)).entries.map(({ path }) => path);

  /** All rows, however many pages they take. */
  async function allPages(request: Partial<LsRequest>, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const { entries, next } = await list({ ...request, limit, ...(after === undefined ? {} : { after }) });
      expect(entries.length).to.be.within(1, limit);
      found.push(...entries.map(({ path }) => path));
      after = next;
    }
    return found;
  }

  it('lists one folder, merged from all manifests of the chain', async () => {
    expect(await paths()).to.deep.equal(['info', 'shadow']);
    expect(await paths({ folder: '/shadow/folder/' })).to.deep.equal([
      'shadow/folder/caf\ufffd',
      'shadow/folder/deep',
      'shadow/folder/link',
      'shadow/folder/new',
    ]);
    expect(await paths({ folder: 'shadow/folder', at: first }))
      .to.include('shadow/folder/old')
      .and.not.include('shadow/folder/new');
  });

  it('lists everything below a folder, but nothing of its neighbours', async () => {
    expect(await paths({ folder: 'shadow/folder', recursive: true })).to.deep.equal([
      'shadow/folder/caf\ufffd',
      'shadow/folder/deep',
      'shadow/folder/deep/file',
      'shadow/folder/link',
      'shadow/folder/new',
    ]);
  });

  it('tells what an entry is', async () => {
    const [file] = (await list({ folder: 'shadow/folder/deep' })).entries;
    expect(file).to.include({ kind: 'file', mode: '0640', uid: 0, size: 4, target: null });
    expect(file)
      .to.have.property('digest')
      .that.matches(/^[0-9a-f]{64}$/);
    expect((await list({ folder: 'shadow/folder/link' })).entries).to.have.length(1);
    expect((await list({ folder: 'shadow/folder/link' })).entries[0]).to.deep.include({ kind: 'symlink', target: { path: 'old' } });
    const [odd] = (await list({ folder: { path: 'x', path_b64: Buffer.from('shadow/folder/caf\xe9', 'latin1').toString('base64') } }))
      .entries;
    expect(odd).to.include({ path: 'shadow/folder/caf\ufffd', path_b64: 'c2hhZG93L2ZvbGRlci9jYWbp' });
  });

  it('gives the same rows in pages of any size', async () => {
    for (const request of [
      {},
      { recursive: true },
      { folder: 'shadow' },
      { folder: 'shadow/folder', recursive: true },
      { at: first, recursive: true },
    ]) {
      const whole = await paths(request);
      for (const limit of [1, 2, 3, 1000]) expect(await allPages(request, limit), JSON.stringify(request)).to.deep.equal(whole);
    }
  });

  it('goes on with the state that the first page was of', async () => {
    const whole = await paths({ recursive: true });
    const { next } = await list({ recursive: true, limit: 1 });
    rmSync(join(sandbox.shadow, 'folder'), { recursive: true });
    await sandbox.back('incremental');
    expect(await paths({ recursive: true, after: next as string })).to.deep.equal(whole.slice(1));
  });

  it('changes nothing in the repository and the state directory', async () => {
    const files = () => [sandbox.repository, sandbox.stateDirectory].map((folder) => readdirSync(folder, { recursive: true }).sort());
    const before = files();
    await list({ recursive: true });
    expect(files()).to.deep.equal(before);
    rmSync(sandbox.stateDirectory, { recursive: true });
    await list({ recursive: true });
    expect(readdirSync(sandbox.folder)).to.not.include('state');
  });

  it('says what is wrong with a unit, a folder, a moment or a cursor', async () => {
    const failure = (request: Partial<LsRequest>) => failureOf(() => list(request));
    expect(await failure({ unit: 'site9' })).to.include({ code: 'unit_unknown' });
    expect(await failure({ unit: 'site1-00000000' })).to.include({ code: 'unit_unknown' });
    for (const folder of ['nowhere', 'shadow/folder/new/below', 'shadow/folde', 'shadow/folder/deep/x/y']) {
      const failed = await failure({ folder });
      expect(failed).to.include({ code: 'path_unknown' });
      expect(failed.affected).to.deep.equal([folder]);
      expect(failed.advice).to.contain('find');
    }
    expect(await failure({ at: 'the day before' })).to.include({ code: 'usage' });
    expect((await failure({ at: '1999-01-01' })).advice).to.contain(first);
    expect((await failure({ at: '20200101T000000000Z-00000000' })).advice).to.contain('list site1');
    for (const after of ['x', Buffer.from('[]').toString('base64url'), Buffer.from('["a",1]').toString('base64url')]) {
      expect(await failure({ after })).to.include({ code: 'usage' });
    }
  });
});

describe('a point in time', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  it('is the last snapshot at or before it, told back with the zone that was assumed', async () => {
    const first = (await sandbox.back('full')).snapshot as string;
    writeFileSync(join(sandbox.shadow, 'later'), 'x');
    const second = (await sandbox.back('incremental')).snapshot as string;
    const at = async (text: string) => (await ls({ unit: 'site1', at: text }, sandbox.context)).moment;
    const { moment } = await ls({ unit: 'site1' }, sandbox.context);
    expect(moment).to.include({ snapshot: second, zone: Temporal.Now.timeZoneId() });
    expect(moment.text).to.contain('latest');
    expect(await at(first)).to.include({ snapshot: first, text: `snapshot ${first}`, stood: null });
    const { taken } = await at(first);
    expect(await at(taken)).to.include({ snapshot: first, zone: 'UTC', instant: Temporal.Instant.from(taken).toString() });
    expect(await at('today')).to.include({ snapshot: second });
  });

  it('also stands where a later run found nothing changed', async () => {
    const { snapshot } = await sandbox.back('full');
    const before = (await ls({ unit: 'site1' }, sandbox.context)).moment;
    expect(before).to.include({ snapshot, stood: null });
    await sandbox.back('incremental');
    const { moment } = await ls({ unit: 'site1' }, sandbox.context);
    expect(moment.snapshot).to.equal(snapshot);
    expect(Date.parse(moment.stood as string)).to.be.within(Date.parse(moment.taken), Date.parse(moment.instant));
    const earlier = (await ls({ unit: 'site1', at: before.taken }, sandbox.context)).moment;
    expect(earlier).to.include({ snapshot, stood: null });
  });
});
