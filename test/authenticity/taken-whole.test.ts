import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { hold } from '../../core/commands/hold.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { run } from '../../core/commands/run.ts';
import { missingRuns, missingSnapshots } from '../../core/repository/history/missing.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import { failureOf } from '../failure-of.ts';
import { StolenRepository } from './stolen-repository.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('what is taken away as a whole', function () {
  this.timeout(60_000);
  const server = new StolenRepository();
  let first = '';

  before(async () => {
    await server.begin(true);
    server.addAccount('site2');
    writeFileSync(join(server.shadow, 'file'), 'one');
    await run({}, server.context);
    first = (await list({ unit: 'site1' }, server.context)).snapshots[0]?.id as string;
    writeFileSync(join(server.shadow, 'file'), 'two');
    await run({}, server.context);
    server.moveTo('reader');
    await list({}, server.context);
    server.moveTo('state');
    server.keep('sound');
  });
  after(() => server.remove());
  beforeEach(() => {
    server.putBack('sound');
    server.log.length = 0;
  });
  afterEach(() => {
    server.now = () => new Date();
    server.moveTo('state');
  });

  const missing = async () => (await server.damages()).filter((damage) => damage.startsWith('history_missing'));

  for (const [what, steal] of [
    ['a unit', () => rmSync(server.one('units/site1-*'), { recursive: true })],
    [
      'all that a unit has',
      () => {
        for (const each of server.all('units/site1-*/*')) rmSync(each, { recursive: true });
      },
    ],
    [
      'all units',
      () => {
        for (const unit of server.all('units/*')) rmSync(unit, { recursive: true });
      },
    ],
  ] as const) {
    it(`is noticed by the server, by who has seen it and by who reads the log: ${what}`, async () => {
      steal();
      for (const machine of ['state', 'reader', 'bare']) {
        server.moveTo(machine);
        expect((await missing()).join(), machine).to.include('units/site1-');
        expect((await list({}, server.context)).status, machine).to.equal('damaged');
      }
      server.moveTo('state');
      expect((await run({}, server.context)).status).to.equal('partial');
      expect(readFileSync(join(await server.restored(), 'shadow/file'), 'utf8')).to.equal('two');
      expect((await run({}, server.context)).status).to.equal('ok');
    });
  }

  it('is noticed by the server when nothing of it is there any more, which then begins anew', async () => {
    rmSync(server.one(''), { recursive: true });
    expect(await missing()).to.have.length(1);
    await list({}, server.context);
    expect(server.codes()).to.include('history_missing');
    expect((await run({}, server.context)).status).to.equal('partial');
    expect((await run({}, server.context)).status).to.equal('ok');
    expect(await missing()).to.deep.equal([]);
  });

  it('is nothing that was stored behind a listing, by a run beside it', async () => {
    const repository = await openRepository(server.context.settings, 'read', () => {});
    const [unit] = (await repository.units.ids()).filter((id) => id.startsWith('site1-')) as [string];
    const before = await repository.readSnapshots(unit);
    const ids = await repository.runs.ids();
    writeFileSync(join(server.shadow, 'file'), 'three');
    await server.back();
    await server.back();
    const index = await RunIndex.read(repository, Date.now());
    expect(await missingSnapshots(unit, before, repository, index)).to.deep.equal([]);
    expect(await missingRuns(repository, Object.assign(Object.create(index) as RunIndex, { ids, log: index.log }))).to.deep.equal([]);
    // A record that was the newest when it was remembered, and was not there yet when names were listed.
    const { backend } = repository;
    const late = await openRepository(server.context.settings, 'read', () => {});
    const newest = ids.at(-1) as string;
    late.backend.list = async function* (prefix) {
      for await (const object of backend.list(prefix)) if (object.name.includes(newest) || !prefix.includes('/runs/')) yield object;
    };
    expect(await late.runs.missing()).to.equal(undefined);
  });

  it('is nothing that rules deleted while a later record named something newer, when that record goes', async () => {
    // The second run alone tells until when the held snapshot stood: its record stays, and names a snapshot of site1 that goes.
    server.set('retention', { keepWithin: '1 day', guardShare: 1 });
    await hold({ unit: 'site2', snapshot: 'latest', reason: 'kept' }, server.context);
    for (const site of ['site1', 'site2']) writeFileSync(join(server.folder, 'virtual', site, 'shadow/file'), 'new');
    await run({ level: 'full' }, server.context);
    server.now = () => new Date(Date.now() + 100 * DAY);
    await run({ units: ['site2'], level: 'full' }, server.context);
    for (let count = 0; count < 2; count++) {
      expect(await prune({ yes: true }, server.context)).to.include({ status: 'ok' });
      server.log.length = 0;
      expect(await missing()).to.deep.equal([]);
    }
  });

  it('is told in a deletion record also beside an object of the end of all times, and a new name behind that is refused in words', async () => {
    const last = '99991231T235959999Z-00000000.json';
    const at = (folder: string) => join(server.one('server.json'), '..', folder, last);
    for (const folder of ['deletions', 'machines']) server.write(at(folder), '{}');
    server.set('retention', { keepWithin: '1 day', guardShare: 1 });
    server.now = () => new Date(Date.now() + 100 * DAY);
    await run({ level: 'full' }, server.context);
    const { runs } = (await prune({ yes: true }, server.context)) as { runs?: number };
    expect(runs).to.equal(2);
    const id = server.one('server.json').split('/').at(-2) as string;
    expect(await failureOf(() => adopt({ server: id, yes: true }, server.context))).to.include({ code: 'repository_damaged' });
    rmSync(at('machines'));
    await adopt({ server: id, yes: true }, server.context);
    expect(await missing()).to.deep.equal([]);
  });

  it('is held by a server that cannot read it', async () => {
    for (let count = 0; count < 2; count++) await server.back('full');
    const held = await hold({ unit: 'site1', snapshot: first, reason: 'a lawsuit' }, server.context);
    expect(held).to.include({ snapshot: first });
  });
});
