import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { explain } from '../../core/commands/explain.ts';
import { hold, release } from '../../core/commands/hold.ts';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { simulateRetention } from '../../core/commands/simulate.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

const DAY = 86_400_000;

describe('the policies of the settings', () => {
  let sandbox: Sandbox;

  const write = (path: string, text = path): void => {
    mkdirSync(join(sandbox.shadow, path, '..'), { recursive: true });
    writeFileSync(join(sandbox.shadow, path), text);
  };
  const paths = async (): Promise<string[]> => (await sandbox.differences()).map(({ path }) => path);

  beforeEach(async () => {
    sandbox = new Sandbox();
    write('www/index.php');
    write('www/cache/page');
    write('www/keep/cache/page');
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  describe('exclude', () => {
    it('leaves out what the patterns say, from the next backup on, and takes it in again', async () => {
      expect(await sandbox.back()).to.include({ entries: 11 });
      sandbox.set('exclude', ['cache/', '!/shadow/www/keep/cache/']);
      const outcome = await sandbox.back();
      expect(outcome).to.include({ level: 'incremental', entries: 9, deleted: 1 });
      expect((await paths()).some((path) => path.includes('www/cache'))).to.equal(true);
      sandbox.set('exclude', []);
      expect(await sandbox.back()).to.include({ entries: 11 });
      expect(await paths()).to.deep.equal([]);
    });

    it('is never what a restore with deletion deletes, nor what is around it', async () => {
      await sandbox.back();
      sandbox.set('exclude', ['*.live', 'node_modules']);
      write('www/index.live');
      write('www/new.php');
      write('www/lib/node_modules/x.js');
      write('www/lib/other.js');
      const result = await restore({ unit: 'site1', delete: true }, sandbox.context);
      expect(result).to.include({ status: 'ok', deleted: 2 });
      await sandbox.back();
      // The new backup has none of them, so only what is left out differs from it.
      expect(await paths()).to.have.members(['www/index.live', 'www/lib/node_modules', 'www/lib/node_modules/x.js']);
    });

    it('stops a run with a wrong pattern before it begins, naming the pattern', async () => {
      sandbox.set('exclude', ['fine', 'a[']);
      const failure = await failureOf(() => sandbox.back());
      expect(failure).to.include({ code: 'invalid_settings' });
      expect(failure.message).to.include('a[');
    });

    it('is explained', async () => {
      sandbox.set('exclude', ['*.log', 'cache/', '!important.log']);
      const why = async (path: string) => {
        const { included, by, pattern, number, at, exists } = await explain({ unit: 'site1', path }, sandbox.context);
        return [included, by, pattern, number, at?.path ?? null, exists];
      };
      expect(await why('shadow/www/index.php')).to.deep.equal([true, 'nothing', null, null, null, true]);
      expect(await why('/shadow/www/cache/page')).to.deep.equal([false, 'pattern', 'cache/', 2, 'shadow/www/cache', true]);
      // A directory's pattern says nothing of a file, nor of what is not there.
      expect(await why('shadow/cache')).to.deep.equal([true, 'nothing', null, null, null, false]);
      expect(await why('shadow/a.log')).to.deep.equal([false, 'pattern', '*.log', 1, 'shadow/a.log', false]);
      expect(await why('shadow/important.log')).to.deep.equal([true, 'pattern', '!important.log', 3, 'shadow/important.log', false]);
      expect(await why('shadow/var/lib/mysql/db/t.ibd')).to.deep.equal([false, 'always', null, null, 'shadow/var/lib/mysql', false]);
      expect(await why('fst/www')).to.deep.equal([false, 'outside', null, null, null, false]);
      expect(await failureOf(() => explain({ unit: 'site9', path: 'x' }, sandbox.context))).to.include({ code: 'unit_unknown' });
    });
  });

  describe('schedule', () => {
    it('decides the level, and a run that found nothing changed counts', async function () {
      this.timeout(180_000);
      let day = 0;
      // A Monday.
      sandbox.now = () => new Date(Date.parse('2027-03-01T12:00:00Z') + day * DAY);
      sandbox.set('schedule', { rules: [{ weekdays: ['wednesday'], level: 'differential' }], maxFullAge: '10 days' });
      const levels: string[] = [];
      for (; day < 14; day++) {
        if (day !== 2) write('www/index.php', `day ${day}`);
        const { level, status } = await sandbox.back();
        levels.push(status === 'unchanged' ? status : (level as string));
      }
      const increments = (count: number): string[] => Array(count).fill('incremental');
      // On the second Wednesday (day 9) again; on day 11 the full is older than ten days.
      expect(levels).to.deep.equal([
        'full',
        'incremental',
        'unchanged',
        ...increments(6),
        'differential',
        'incremental',
        'full',
        ...increments(2),
      ]);
    });
  });

  describe('retention', () => {
    it('prunes, spares what is held until it is released, and waits for a backup', async () => {
      let day = 0;
      sandbox.now = () => new Date(Date.parse('2027-03-01T12:00:00Z') + day * DAY);
      sandbox.set('retention', { levels: { full: '3 days', incremental: '1 day' } });
      const ids: string[] = [];
      for (; day < 4; day++) {
        write('www/index.php', `day ${day}`);
        ids.push((await sandbox.back(day === 2 ? 'full' : 'incremental')).snapshot as string);
      }
      day = 5;
      const [full, first] = ids as [string, string];
      const held = await hold({ snapshot: first, reason: 'audit', until: '2 weeks' }, sandbox.context);
      expect(held).to.include({ unit: 'site1', until: '2027-03-20T12:00:00.000Z' });
      const kept = async () => {
        const { units } = await prune({ dryRun: true }, sandbox.context);
        return units[0]!.snapshots.filter(({ keep }) => keep).map(({ id }) => ids.indexOf(id));
      };
      expect(await kept()).to.deep.equal([0, 1, 2, 3]);
      expect(await release({ snapshot: first }, sandbox.context)).to.deep.equal({ snapshot: first, released: 1 });
      expect(await kept()).to.deep.equal([2, 3]);
      for (const [name, what] of [
        ['backup', 'a backup'],
        ['retention', 'a hold'],
      ] as const) {
        const lock = takeLock(sandbox.stateDirectory, name, what);
        expect(await failureOf(() => prune({}, sandbox.context))).to.include({ code: 'locked' });
        lock.release();
      }
      const restoring = takeLock(sandbox.stateDirectory, 'site1', 'restore');
      expect(await prune({}, sandbox.context)).to.include({ status: 'partial', objects: 0 });
      restoring.release();
      expect((await prune({}, sandbox.context)).units[0]).to.include({ kept: 2, deleted: 2 });
      expect(await sandbox.differences()).to.deep.equal([]);
      expect(await failureOf(() => hold({ snapshot: full, reason: 'late' }, sandbox.context))).to.include({ code: 'snapshot_unknown' });
      expect(await failureOf(() => release({ snapshot: first }, sandbox.context))).to.include({ code: 'snapshot_unknown' });
    });

    it('refuses the end of a hold that is past, or none', async () => {
      const { snapshot } = await sandbox.back();
      for (const until of ['yesterday', '2020-01-01', 'latest', 'soon', '20260301T120000000Z-00000000']) {
        const failure = await failureOf(() => hold({ snapshot: snapshot as string, reason: 'x', until }, sandbox.context));
        expect(failure, until).to.include({ code: 'usage' });
      }
    });

    it('is simulated with the sizes that there are', async () => {
      const { bytesStored } = await sandbox.back('full');
      const { sizes, days } = await simulateRetention({ duration: '90d' }, sandbox.context);
      expect(sizes.full).to.deep.equal({ bytes: bytesStored, basis: 'measured' });
      expect(sizes.incremental.basis).to.equal('assumed');
      expect(days).to.have.length(90);
      expect(days[0]).to.include({ level: 'full', full: 1, differential: 0, incremental: 0, bytes: bytesStored });
      expect(Math.max(...days.map(({ full }) => full))).to.be.within(2, 4);
      expect(await failureOf(() => simulateRetention({ duration: 'long' }, sandbox.context))).to.include({ code: 'usage' });
      expect(await failureOf(() => simulateRetention({ duration: '11 years' }, sandbox.context))).to.include({ code: 'usage' });
    });
  });
});
