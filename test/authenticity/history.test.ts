import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { run } from '../../core/commands/run.ts';
import { failureOf } from '../failure-of.ts';
import { StolenRepository } from './stolen-repository.ts';

const DAY = 24 * 60 * 60 * 1000;

for (const isEncrypted of [false, true]) {
  describe(`what is taken away of ${isEncrypted ? 'an encrypted' : 'a plain'} repository`, function () {
    this.timeout(60_000);
    const server = new StolenRepository();

    before(async () => {
      await server.begin(isEncrypted);
      for (const text of ['one', 'two', 'three']) {
        writeFileSync(join(server.shadow, 'file'), text);
        await server.back(text === 'one' ? 'full' : 'incremental');
        server.keep(text);
      }
      await server.back();
      // Another machine has seen all of it.
      server.moveTo('reader');
      await list({ unit: 'site1' }, server.context);
      server.moveTo('state');
      server.keep('sound');
    });
    after(() => server.remove());
    beforeEach(() => {
      server.putBack('sound');
      server.log.length = 0;
    });
    afterEach(() => server.moveTo('state'));

    const records = () => server.all('units/site1-*/snapshots/*');
    const runs = () => server.all('runs/*');
    const missing = async () => (await server.damages()).filter((damage) => damage.startsWith('history_missing'));

    const thefts: [string, () => void, readonly string[]][] = [
      ['the newest record', () => rmSync(records().at(-1) as string), ['snapshots']],
      ['the newest run', () => rmSync(runs().at(-1) as string), ['runs']],
      ['a run in the middle', () => rmSync(runs()[1] as string), ['runs']],
      [
        'everything since a day',
        () => {
          for (const file of [...records().slice(1), ...runs().slice(1)]) rmSync(file);
        },
        ['runs', 'snapshots'],
      ],
      ['all since, by an older state of the whole repository', () => server.putBack('two', ['repository']), ['runs', 'snapshots']],
    ];

    for (const [what, steal, kinds] of thefts) {
      it(`is noticed by the server and by who has seen it: ${what}`, async () => {
        steal();
        const found = (await missing()).join();
        for (const kind of kinds) expect(found).to.include(`${kind}/`);
        if (what === 'a run in the middle') return;
        server.moveTo('reader');
        server.log.length = 0;
        await server.damages();
        await server.restored();
        await list({ unit: 'site1' }, server.context);
        expect(server.codes()).to.include('history_missing');
        server.moveTo('state');
        // A run says so and is not ok; all is protected; and the next one is as ever.
        const { status, units } = await run({ units: ['site1'] }, server.context);
        expect(status).to.equal('partial');
        expect(units[0]).to.include({ error: null });
        expect(readFileSync(join(await server.restored(), 'shadow/file'), 'utf8')).to.equal('three');
        server.log.length = 0;
        expect((await run({ units: ['site1'] }, server.context)).status).to.equal('ok');
        // What a run that is still recorded names, a verification misses until somebody accepts that.
        if (what === 'the newest record') {
          expect((await missing()).join()).to.include('snapshots/');
          expect(await prune({ acceptMissing: true, yes: true }, server.context)).to.include({ accepted: 1 });
        }
        expect(await missing()).to.deep.equal([]);
        expect(server.codes()).to.not.include('history_missing');
      });
    }

    it('is noticed by a machine that did nothing but restore before', async () => {
      server.moveTo('rescue');
      await server.restored();
      server.putBack('two', ['repository']);
      const given = { unit: 'site1', ...server.given };
      for (const ask of [
        () => server.restored(),
        () => find({ ...given, pattern: 'file' }, server.context),
        () => history({ ...given, path: 'shadow/file' }, server.context),
      ]) {
        server.log.length = 0;
        await ask();
        expect(server.codes(), String(ask)).to.include('history_missing');
      }
      expect(await list({ unit: 'site1' }, server.context)).to.include({ status: 'damaged' });
    });

    it('is noticed on a machine that saw nothing, when the run still names it', async () => {
      rmSync(records().at(-1) as string);
      server.moveTo('bare');
      await server.restored();
      expect(server.codes()).to.include('history_missing');
      expect((await list({ unit: 'site1' }, server.context)).status).to.equal('damaged');
    });

    it('is not missed by a state directory that was put back from an older copy, once somebody says that it is this machine', async () => {
      server.set('retention', { keepLast: 1, guardShare: 1 });
      for (const text of ['four', 'five']) {
        writeFileSync(join(server.shadow, 'file'), text);
        await server.back('full');
      }
      await prune({ yes: true }, server.context);
      server.putBack('sound', ['state']);
      expect(await failureOf(() => server.back())).to.include({ code: 'server_contested' });
      await adopt({ server: server.one('server.json').split('/').at(-2) as string, yes: true }, server.context);
      server.log.length = 0;
      expect((await run({ units: ['site1'] }, server.context)).status).to.equal('ok');
      expect(await missing()).to.deep.equal([]);
      expect(server.codes()).to.not.include('history_missing');
      server.set('retention', {});
      writeFileSync(join(server.shadow, 'file'), 'three');
    });

    it('is not missed when the server deleted it, wherever the deletion is broken off', async () => {
      // All that is there is old, and one of a later day stays.
      const begin = Date.now();
      server.set('retention', { levels: { full: '70 days', differential: '70 days', incremental: '70 days' } });
      for (const days of [80, 81, 160, 161]) {
        server.now = () => new Date(begin + days * DAY);
        writeFileSync(join(server.shadow, 'file'), `on day ${days}`);
        await server.back(days % 2 === 0 ? 'full' : 'incremental');
      }
      server.keep('old');
      const names = () => [...records(), ...runs(), ...server.all('deletions/*')];
      const before = names().length;
      await prune({ yes: true }, server.context);
      expect(names().length).to.be.lessThan(before);
      expect(server.all('deletions/*')).to.have.length(1);
      const announced = server.one('deletions/*');
      const bytes = readFileSync(announced);
      server.log.length = 0;
      expect(await server.damages()).to.deep.equal([]);
      server.moveTo('reader');
      expect(await server.damages()).to.deep.equal([]);
      server.moveTo('newcomer');
      expect(await server.damages()).to.deep.equal([]);
      server.moveTo('state');
      // Said, and nothing deleted yet.
      server.putBack('old');
      server.write(announced, bytes);
      expect(await server.damages()).to.deep.equal([]);
      await prune({ yes: true }, server.context);
      expect(await server.damages()).to.deep.equal([]);
      expect(server.codes()).to.not.include('history_missing');
      server.now = () => new Date();
    });
  });
}
