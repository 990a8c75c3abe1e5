import { globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { nightlyWith } from '../../core/commands/nightly.ts';
import { prune } from '../../core/commands/prune.ts';
import { pruneCopies } from '../../core/commands/prune-copies.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { run } from '../../core/commands/run.ts';
import { status } from '../../core/commands/status.ts';
import type { Settings } from '../../core/config/settings.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { Failure } from '../../core/failure.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

const NEWEST = { keepLast: 1, guardShare: 1 };

describe('the automatic backup and the copies', () => {
  let server: Sandbox;
  let clock: number;
  beforeEach(async () => {
    server = new Sandbox();
    server.set('databases', { method: 'none' });
    server.set('retention', { keepWithin: '1 year', guardShare: 1 });
    clock = Temporal.Now.zonedDateTimeISO().startOfDay().subtract({ hours: 12 }).epochMilliseconds;
    server.now = () => new Date(clock);
    await server.init();
    copies(...['near', 'far', 'same', 'kept'].map((name) => ({ name })));
    for (const text of ['one', 'two', 'three']) {
      writeFileSync(join(server.shadow, 'file'), text);
      await server.back('full');
      clock += 86_400_000;
    }
    await METHODS.get('copy')?.perform({}, server.context);
    copies({ name: 'near', retention: NEWEST }, { name: 'far', retention: NEWEST }, { name: 'same' }, { name: 'kept', prune: false });
  });
  afterEach(() => server.remove());

  const placeOf = (name: string) => join(server.folder, name);
  function copies(...all: Omit<Settings['copies'][number], 'repository'>[]): void {
    const withPlaces = all.map((each) => ({ ...each, repository: placeOf(each.name) }));
    server.set('copies', withPlaces);
  }
  const recordsIn = (name: string) => globSync(join(placeOf(name), 'servers/*/units/site1-*/snapshots/*')).sort();
  const countIn = (...names: string[]) => names.map((name) => recordsIn(name).length);
  const night = () => nightlyWith(run)({ now: true }, server.context);
  const stepOf = async (ofStep: string) => (await night()).steps.find(({ step }) => step === ofStep);
  const problems = async () => (await status({}, server.context)).problems.filter(({ code }) => code === 'copy_failed');

  it('prunes each by its own retention, or by that of the repository, and none that is not to be', async () => {
    server.set('retention', { keepLast: 3, guardShare: 1 });
    expect(countIn('near', 'far', 'same', 'kept')).to.deep.equal([3, 3, 3, 3]);
    const pruned = await stepOf('prune-copies');
    expect(pruned).to.include({ status: 'ok' });
    expect(pruned?.message).to.match(/near: 2 snapshots deleted.*far: 2 .*same: 1 .*kept: switched off/);
    expect(countIn('near', 'far', 'same', 'kept')).to.deep.equal([1, 1, 2, 3]);
    expect((await status({}, server.context)).copies.map(({ pruned: at }) => at !== null)).to.deep.equal([true, true, true, false]);
    expect(await problems()).to.deep.equal([]);
  });

  it('leaves a copy alone that keeps what the repository keeps, where that was not pruned', async () => {
    server.set('retention', NEWEST);
    server.set('s3', { pruneCredentialsFile: join(server.folder, 'not-here') });
    const pruned = await stepOf('prune-copies');
    expect(pruned).to.include({ status: 'ok' });
    expect(pruned?.message).to.contain('same: it keeps what the repository keeps, which was not pruned');
    expect(countIn('same')).to.deep.equal([3]);
    server.set('schedule', { prune: false });
    clock += 86_400_000;
    expect(await stepOf('prune-copies')).to.include({ status: 'skipped' });
    copies({ name: 'near', retention: NEWEST, s3: { pruneCredentialsFile: join(server.folder, 'not-here-either') } });
    server.set('schedule', {});
    clock += 86_400_000;
    const skipped = await stepOf('prune-copies');
    expect([skipped?.status, skipped?.message]).to.deep.equal([
      'skipped',
      `near: the key for it, ${server.folder}/not-here-either, is not on this server now`,
    ]);
  });

  it('goes on with the others where one cannot be pruned, and the status says so until it can', async () => {
    copies({ name: 'near', retention: NEWEST }, { name: 'far', retention: NEWEST });
    const strange = join(dirname(recordsIn('near')[0] as string), '20200101T000000000Z-00000000.json');
    writeFileSync(strange, 'no record');
    const pruned = await stepOf('prune-copies');
    expect(pruned).to.include({ status: 'partial' });
    expect(countIn('near', 'far')).to.deep.equal([4, 1]);
    expect((await problems()).map(({ message }) => message).join()).to.match(/the prune of near: site1: nobody knows which objects/);
    rmSync(strange);
    const [state] = globSync(join(server.stateDirectory, 'repositories/*/copies/near')) as [string];
    renameSync(join(state, 'pruned.json'), join(state, 'before'));
    mkdirSync(join(state, 'pruned.json'));
    await METHODS.get('prune')?.perform({ fromCopy: 'near', yes: true }, server.context);
    expect(
      server.log.map(({ code }) => code),
      'a state that cannot be kept',
    ).to.include('state_unusable');
    rmSync(join(state, 'pruned.json'), { recursive: true });
    renameSync(join(state, 'before'), join(state, 'pruned.json'));
    expect(await problems()).to.have.length(1);
    await METHODS.get('prune')?.perform({ fromCopy: 'near', yes: true }, server.context);
    expect(countIn('near')).to.deep.equal([1]);
    expect(await problems()).to.deep.equal([]);
  });

  it('tells a refusal of one place by its name, and fails where no copy could be pruned', async () => {
    const refusing =
      (...refused: string[]): typeof prune =>
      (request, context) =>
        refused.some((name) => context.settings.repository === placeOf(name))
          ? Promise.reject(new Failure('repository_refused', 'it may not delete'))
          : prune(request, context);
    expect(await pruneCopies(refusing('near'), 'ok', server.context)).to.deep.include({ status: 'partial' });
    const all = await pruneCopies(refusing('near', 'far', 'same'), 'ok', server.context);
    expect(all.status).to.equal('failed');
    expect(all.message).to.contain('near: it may not delete; far: it may not delete');
    const stopping: typeof prune = () => Promise.reject(new Failure('cancelled', 'stopped'));
    expect(await failureOf(() => pruneCopies(stopping, 'ok', server.context))).to.include({ code: 'cancelled' });
  });

  it('prunes a copy for recipients of its own as the others, and remembers that', async () => {
    const { recipient } = await newIdentity();
    copies({ name: 'theirs', recipients: [recipient] });
    await METHODS.get('copy')?.perform({}, server.context);
    expect(countIn('theirs')).to.deep.equal([3]);
    copies({ name: 'theirs', recipients: [recipient], retention: NEWEST });
    expect(await stepOf('prune-copies')).to.include({ status: 'ok' });
    expect(countIn('theirs')).to.deep.equal([1]);
    expect((await status({}, server.context)).copies.map(({ pruned }) => pruned)).to.deep.equal([new Date(clock).toISOString()]);
    clock += 86_400_000;
    const { steps } = await night();
    expect(steps.map(({ step, status: end }) => `${step} ${end}`)).to.deep.equal([
      'run ok',
      'copy ok',
      'prune ok',
      'prune-copies ok',
      'verify ok',
    ]);
    expect(countIn('theirs')).to.deep.equal([1]);
  });

  it('deletes nothing in a copy to which something is brought at the same time', async () => {
    const lock = takeLock(server.stateDirectory, 'copy-near', 'a copy');
    try {
      const method = METHODS.get('prune');
      expect(await failureOf(async () => method?.perform({ fromCopy: 'near', yes: true }, server.context))).to.include({ code: 'locked' });
    } finally {
      lock.release();
    }
  });
});
