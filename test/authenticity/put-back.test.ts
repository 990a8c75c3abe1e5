import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { init } from '../../core/commands/init.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { run } from '../../core/commands/run.ts';
import { servers } from '../../core/commands/servers.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { failureOf } from '../failure-of.ts';
import { StolenRepository } from './stolen-repository.ts';

describe('a server that lost its state, and whose server.json', function () {
  this.timeout(60_000);
  const server = new StolenRepository();
  let id = '';
  let fingerprint = '';

  before(async () => {
    await server.begin(false);
    for (const text of ['one', 'two']) {
      writeFileSync(join(server.shadow, 'file'), text);
      await server.back(text === 'one' ? 'full' : 'incremental');
    }
    id = server.one('server.json').split('/').at(-2) as string;
    fingerprint = (await servers({}, server.context)).servers[0]?.keys[0]?.fingerprint as string;
    server.keep('sound');
  });
  after(() => server.remove());
  beforeEach(() => {
    server.putBack('sound');
    rmSync(server.stateDirectory, { recursive: true });
    server.log.length = 0;
  });
  afterEach(() => server.moveTo('state'));

  const said = () => server.log.map(({ message }) => message).join('\n');
  const keys = async () => (await servers({}, server.context)).servers.find((each) => each.server === id)?.keys;

  it('is missing begins anew and says what else there is; adopted it goes on, and everything restores everywhere', async () => {
    rmSync(server.one('server.json'));
    expect(await keys()).to.deep.equal([{ fingerprint, known: false }]);
    expect(readFileSync(join(await server.restored(), 'shadow/file'), 'utf8')).to.equal('two');
    expect(said()).to.include(fingerprint);
    rmSync(server.stateDirectory, { recursive: true, force: true });
    server.log.length = 0;
    await adopt({ server: id, yes: true }, server.context);
    expect(said()).to.include(fingerprint);
    const { status, units } = await run({ units: ['site1'] }, server.context);
    expect([status, units[0]?.status, units[0]?.level]).to.deep.equal(['ok', 'unchanged', 'incremental']);
    server.moveTo('bare');
    expect(await server.damages()).to.deep.equal(['repository_damaged server.json']);
    expect(await server.usable()).to.have.length(2);
    expect(readFileSync(join(await server.restored(), 'shadow/file'), 'utf8')).to.equal('two');
    server.moveTo('state');
    // Not adopted: another server, which says so.
    server.putBack('sound');
    rmSync(server.stateDirectory, { recursive: true });
    rmSync(server.one('server.json'));
    server.log.length = 0;
    expect((await run({ units: ['site1'] }, server.context)).units[0]).to.include({ level: 'full' });
    expect(said()).to.match(new RegExp(`${id}.*apiscp-backup adopt`));
  });

  it('is a thief’s writes nothing, names both keys, and goes on by the one that somebody compared', async () => {
    const [file] = server.all('server.json') as [string];
    server.forge(file, {}, file, true);
    for (const write of [
      () => run({ units: ['site1'] }, server.context),
      () => init({}, server.context),
      () => prune({}, server.context),
    ]) {
      const { code, message } = await failureOf(write);
      expect(code).to.equal('server_contested');
      expect(message).to.include(fingerprint);
    }
    rmSync(server.stateDirectory, { recursive: true, force: true });
    expect(await failureOf(() => servers({ trust: `SHA256:${'A'.repeat(43)}` }, server.context))).to.include({ code: 'usage' });
    await servers({ trust: fingerprint }, server.context);
    await adopt({ server: id, yes: true }, server.context);
    const { units } = await run({ units: ['site1'] }, server.context);
    expect(units[0]).to.include({ status: 'unchanged' });
    expect(await server.damages()).to.deep.equal(['repository_damaged server.json']);
    expect((await list({ unit: 'site1' }, server.context)).snapshots).to.have.length(2);
  });

  it('is missing, and beside whose backups a thief put his own, believes none before somebody compared', async () => {
    rmSync(server.one('server.json'));
    const [record] = server.all('runs/*') as [string];
    server.forge(record.replace(/[0-9a-f]{8}\.json$/, '00000000.json'), {}, record, true);
    await adopt({ server: id, yes: true }, server.context);
    expect(said()).to.include('none of them is believed');
    await servers({ trust: fingerprint }, server.context);
    expect((await run({ units: ['site1'] }, server.context)).units[0]).to.include({ status: 'unchanged' });
    expect((await server.damages()).join()).to.match(/^repository_damaged runs\/\S*00000000\.json,repository_damaged server\.json$/);
  });
});

describe('a note that a server took back', () => {
  const server = new StolenRepository();
  after(() => server.remove());

  it('is nobody’s word when somebody puts it there again', async () => {
    await server.begin(true);
    writeFileSync(join(server.shadow, 'file'), 'one');
    await server.back();
    const open = () => openRepository(server.context.settings, 'write', (notice) => server.log.push(notice));
    const repository = await open();
    const [unit] = (await repository.units.all()) as [Awaited<ReturnType<typeof repository.units.read>>];
    await repository.units.addNote({ unit: unit.unit, kind: 'gone', reason: 'left' });
    const note = server.one('notes/*');
    const bytes = readFileSync(note);
    expect((await open()).units).to.satisfy(() => repository.units.isGone(unit));
    await server.back();
    expect(server.all('notes/*')).to.deep.equal([]);
    server.write(note, bytes);
    const again = await open();
    const [found] = (await again.units.all()) as [typeof unit];
    expect(again.units.isGone(found)).to.equal(false);
    expect((await server.damages()).join()).to.match(/^repository_damaged notes\//);
  });
});
