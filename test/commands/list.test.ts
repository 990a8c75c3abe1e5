import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { init } from '../../core/commands/init.ts';
import { list } from '../../core/commands/list.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

describe('list', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  it('is empty before the first backup', async () => {
    expect(await list({}, sandbox.context)).to.deep.equal({ status: 'ok', snapshots: [], unusable: [] });
    expect(await list({ unit: 'site1' }, sandbox.context)).to.deep.equal({ status: 'ok', snapshots: [], unusable: [] });
  });

  it('has the snapshots of a unit, oldest first', async () => {
    const first = await sandbox.back('full');
    writeFileSync(join(sandbox.shadow, 'later'), 'x');
    const second = await sandbox.back('incremental');
    const { snapshots } = await list({ unit: 'site1' }, sandbox.context);
    expect(snapshots.map(({ id, level, unit, current }) => ({ id, level, unit, current }))).to.deep.equal([
      { id: first.snapshot, level: 'full', unit: 'site1', current: true },
      { id: second.snapshot, level: 'incremental', unit: 'site1', current: true },
    ]);
  });

  it('keeps an earlier customer of a site id apart: listed to the administrator, never as the site’s own', async () => {
    await sandbox.back('full');
    const [old] = (await list({}, sandbox.context)).snapshots;
    rmSync(sandbox.site, { recursive: true });
    expect((await list({ unit: 'site1' }, sandbox.context)).snapshots).to.have.length(1);
    expect((await list({}, sandbox.context)).snapshots[0]).to.include({ current: false });
    mkdirSync(sandbox.shadow, { recursive: true });
    mkdirSync(join(sandbox.site, 'info'));
    expect(await list({ unit: 'site1' }, sandbox.context)).to.deep.equal({ status: 'ok', snapshots: [], unusable: [] });
    await sandbox.back('full');
    expect((await list({ unit: 'site1' }, sandbox.context)).snapshots.map(({ unitId }) => unitId)).to.not.include(old?.unitId);
    expect((await list({}, sandbox.context)).snapshots.map(({ current }) => current)).to.deep.equal([false, true]);
    expect((await list({ incarnation: old?.unitId as string }, sandbox.context)).snapshots).to.have.length(1);
  });

  it('says that there is no such unit, or no repository', async () => {
    expect(await failureOf(() => list({ unit: 'site9' }, sandbox.context))).to.include({ code: 'unit_unknown' });
    rmSync(sandbox.repository, { recursive: true });
    expect(await failureOf(() => list({}, sandbox.context))).to.include({ code: 'repository_missing' });
  });
});

describe('init', () => {
  it('makes the repository once and always says which it is', async () => {
    const sandbox = new Sandbox();
    try {
      const made = await init({}, sandbox.context);
      expect(made).to.include({ status: 'ok', repository: sandbox.repository, created: true });
      expect(await init({}, sandbox.context)).to.deep.equal({ ...made, created: false });
    } finally {
      await sandbox.remove();
    }
  });
});
