import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { run } from '../../core/commands/run.ts';
import { StolenRepository } from './stolen-repository.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('a snapshot in the middle', function () {
  this.timeout(60_000);
  const server = new StolenRepository();
  const all = ['state', 'reader', 'bare'];

  before(async () => {
    await server.begin(true);
    server.addAccount('site2');
    const now = Date.now();
    for (const [at, text] of ['one', 'two', 'three', 'four'].entries()) {
      server.now = () => new Date(now - (4 - at) * DAY);
      writeFileSync(join(server.shadow, 'file'), text);
      await run({ level: 'full' }, server.context);
    }
    server.now = () => new Date();
    server.moveTo('reader');
    await list({ unit: 'site1' }, server.context);
    server.moveTo('state');
    server.keep('sound');
  });
  after(() => server.remove());
  beforeEach(() => {
    server.set('retention', {});
    server.putBack('sound');
    server.log.length = 0;
  });
  afterEach(() => server.moveTo('state'));

  const ids = () => server.all('units/site1-*/snapshots/*').map((file) => file.slice(file.lastIndexOf('/') + 1, -'.json'.length));

  /** Takes away all that a snapshot has. */
  function take(id: string): void {
    for (const file of server.all(`units/*/*/${id}*`)) rmSync(file);
  }

  async function missingOn(machine: string): Promise<string[]> {
    server.moveTo(machine);
    const found = (await server.damages()).filter((damage) => damage.startsWith('history_missing'));
    if (machine === 'bare') rmSync(join(server.folder, 'bare'), { recursive: true, force: true });
    server.moveTo('state');
    return found;
  }

  it('that nothing needs is missed by everybody when it is taken away, until somebody accepts that', async () => {
    const taken = ids()[1] as string;
    take(taken);
    for (const machine of all) expect((await missingOn(machine)).join(), machine).to.match(new RegExp(`^[^,]*${taken}\\.json$`));
    // One run says so; the next ones go on.
    expect((await run({}, server.context)).status).to.equal('partial');
    expect(server.codes()).to.include('history_missing');
    server.log.length = 0;
    expect((await run({}, server.context)).status).to.equal('ok');
    expect(server.codes()).to.not.include('history_missing');
    for (const machine of all) expect(await missingOn(machine), machine).to.have.length(1);
    // Nor does a prune that deletes others forget it.
    server.set('retention', { keepLast: 2, guardShare: 1 });
    const pruned = await prune({ yes: true }, server.context);
    expect(pruned.accepted).to.equal(0);
    expect(pruned.units[0]?.deleted).to.be.greaterThan(0);
    for (const machine of all) expect((await missingOn(machine)).join(), machine).to.include(taken);
    expect((await prune({ acceptMissing: true, yes: true, dryRun: true }, server.context)).accepted).to.equal(1);
    expect(await missingOn('state')).to.have.length(1);
    expect((await prune({ acceptMissing: true, yes: true }, server.context)).accepted).to.equal(1);
    for (const machine of all) {
      server.log.length = 0;
      expect(await missingOn(machine), machine).to.deep.equal([]);
      const shown = server.log.filter(({ code }) => code === 'history_accepted').map(({ message }) => message);
      expect(shown.join(), machine).to.include(taken);
    }
    expect((await prune({ acceptMissing: true, yes: true }, server.context)).accepted).to.equal(0);
  });

  it('is not missed when retention deleted it, and others are missed as before', async () => {
    const before = server.all('runs/*').map((file) => [file, readFileSync(file)] as const);
    server.set('retention', { keepLast: 3, guardShare: 1 });
    expect((await prune({ yes: true }, server.context)).units.map(({ deleted }) => deleted)).to.deep.equal([1, 1, 1]);
    for (const machine of all) expect(await missingOn(machine), machine).to.deep.equal([]);
    // Also by what the prune left alone, when no record of a run names it any more.
    const taken = ids()[1] as string;
    take(taken);
    for (const [file] of before.slice(0, -1)) rmSync(file);
    for (const machine of all) expect((await missingOn(machine)).join(), machine).to.include(`${taken}.json`);
  });

  it('is missed after all deletion records were taken away or put back to older ones, and not when one is damaged', async () => {
    server.set('retention', { keepLast: 3, guardShare: 1 });
    await prune({ yes: true }, server.context);
    const older = server.one('deletions/*');
    const bytes = readFileSync(older);
    writeFileSync(join(server.shadow, 'file'), 'five');
    await run({ level: 'full' }, server.context);
    await prune({ yes: true }, server.context);
    const newer = server.one('deletions/*');
    expect(newer).to.not.equal(older);
    const kept = readFileSync(newer);
    rmSync(newer);
    for (const machine of all) expect((await missingOn(machine)).length, machine).to.be.greaterThan(0);
    server.write(older, bytes);
    for (const machine of all) expect((await missingOn(machine)).length, machine).to.be.greaterThan(0);
    rmSync(older);
    server.write(newer, Buffer.concat([kept, Buffer.from('\n')]));
    expect(await missingOn('bare')).to.deep.equal([]);
    expect((await server.damages()).join()).to.include('repository_damaged deletions/');
  });

  it('is not missed here when there was no room to say that it goes, and by nobody once there is', async () => {
    server.set('retention', { keepLast: 2, guardShare: 1 });
    const folder = join(server.one(''), 'deletions');
    mkdirSync(folder);
    execFileSync('chattr', ['+i', folder]);
    expect((await prune({ yes: true }, server.context)).objects).to.be.greaterThan(0);
    expect(ids()).to.have.length(2);
    expect(server.log.map(({ message }) => message).join()).to.include('until a prune can say so');
    execFileSync('chattr', ['-i', folder]);
    expect(await missingOn('state')).to.deep.equal([]);
    expect((await run({}, server.context)).status).to.equal('ok');
    // The next prune has nothing to delete, and says what the last one deleted.
    await prune({ yes: true }, server.context);
    for (const machine of all) expect(await missingOn(machine), machine).to.deep.equal([]);
    server.one('deletions/*');
  });

  it('is listed as lost with its whole unit, and the loss can be accepted', async () => {
    rmSync(server.one('units/site1-*'), { recursive: true });
    for (const machine of all) {
      server.moveTo(machine);
      expect((await list({ unit: 'site1' }, server.context)).status, machine).to.equal('damaged');
    }
    server.moveTo('state');
    expect((await run({}, server.context)).status).to.equal('partial');
    expect((await run({}, server.context)).status).to.equal('ok');
    expect((await list({ unit: 'site1' }, server.context)).status).to.equal('damaged');
    expect((await prune({ acceptMissing: true, yes: true }, server.context)).accepted).to.be.greaterThan(0);
    for (const machine of all) {
      expect(await missingOn(machine), machine).to.deep.equal([]);
      server.moveTo(machine);
      expect((await list({ unit: 'site1' }, server.context)).status, machine).to.equal('ok');
    }
  });
});
