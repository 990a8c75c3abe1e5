import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { keys } from '../../core/commands/keys.ts';
import { type BackUp, nightlyWith } from '../../core/commands/nightly.ts';
import { run } from '../../core/commands/run.ts';
import { status } from '../../core/commands/status.ts';
import { openContext } from '../../core/context/open-context.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { Failure } from '../../core/failure.ts';
import { takeLock } from '../../core/locks/locks.ts';
import type { NightlyResult } from '../../core/schemas/nightly.ts';
import { writeNight } from '../../core/timeline/last-night.ts';
import { noteLeaving } from '../../core/timeline/leaving-accounts.ts';
import { Sandbox } from './sandbox.ts';

const HOUR = 3_600_000;

describe('the automatic backup', () => {
  let server: Sandbox;
  let clock: number;
  let runs: number;
  beforeEach(async () => {
    server = new Sandbox();
    writeFileSync(join(server.shadow, 'file'), 'content');
    server.set('schedule', { time: '01:30' });
    clock = Temporal.Now.zonedDateTimeISO().startOfDay().subtract({ hours: 12 }).epochMilliseconds;
    runs = 0;
    server.now = () => new Date(clock);
    await server.init();
  });
  afterEach(() => server.remove());

  const counted: BackUp = (request, context) => {
    runs++;
    return run(request, context);
  };
  const nightly = (request: { now?: boolean } = {}, backUp = counted): Promise<NightlyResult> =>
    nightlyWith(backUp)(request, server.context);
  const pass = (hours: number) => {
    clock += hours * HOUR;
  };
  /** The first question, in the noon before, after which the backup of the night is due. */
  const untilDue = async () => {
    await nightly();
    pass(14);
  };
  const stepsOf = ({ steps }: NightlyResult) => Object.fromEntries(steps.map(({ step, status }) => [step, status]));

  it('misses no account that the panel deletes while it is under way, and says so', async () => {
    const other = server.addAccount('site2');
    const another = server.addAccount('site3');
    await run({}, server.context);
    await untilDue();
    const deletedMeanwhile: BackUp = (request, context) =>
      run(request, context, {
        earlier: undefined,
        begin() {},
        beginUnit(unit) {
          if (unit !== 'site1') return;
          const [id] = globSync('servers/*/units/site2-*', { cwd: server.repository }).map((path) => basename(path));
          noteLeaving(server.context.settings.stateDirectory, { unit: id as string, at: clock });
          // The other one is lost without a word of the panel.
          for (const folder of [other, another]) rmSync(folder, { recursive: true });
        },
        endUnit() {},
      });
    const { steps } = await nightly({}, deletedMeanwhile);
    expect(steps[0]?.message).to.contain('site3 (failed)').and.not.to.contain('site2');
    expect((await status({}, server.context)).coverage.vanished).to.deep.equal(['site3']);
  });

  it('waits for the night after it was installed, and is made once then: run, prune, verify', async () => {
    expect((await nightly()).due).to.equal(false);
    pass(13);
    expect((await nightly()).due).to.equal(false);
    pass(1);
    const result = await nightly();
    expect(result).to.include({ due: true, status: 'ok' });
    expect(stepsOf(result)).to.deep.equal({ run: 'ok', prune: 'ok', verify: 'ok' });
    pass(0.25);
    expect((await nightly()).due).to.equal(false);
    expect(runs).to.equal(1);
    pass(24);
    expect((await nightly()).due).to.equal(true);
  });

  it('finds damage on a server that can only write, too', async () => {
    const { recipient } = await newIdentity();
    await keys({ recipients: [recipient] }, server.context);
    await untilDue();
    expect(stepsOf(await nightly())).to.deep.equal({ run: 'ok', prune: 'ok', verify: 'ok' });
    const [manifest] = server.objects('manifests') as [string];
    const bytes = readFileSync(manifest);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(manifest, bytes);
    pass(24);
    expect(stepsOf(await nightly())).to.include({ verify: 'damaged' });
  });

  it('is not made while it is off, unless it is asked for', async () => {
    await untilDue();
    server.set('enabled', false);
    expect(await nightly()).to.include({ due: false, nextDue: null });
    expect((await nightly({ now: true })).due).to.equal(true);
    expect(runs).to.equal(1);
  });

  it('is not begun beside one that is at work', async () => {
    await untilDue();
    const lock = takeLock(server.stateDirectory, 'nightly', 'the automatic backup');
    expect((await nightly()).due).to.equal(false);
    lock.release();
    expect(runs).to.equal(0);
  });

  it('prunes after a run that failed, tries again an hour later, and not for ever', async () => {
    await untilDue();
    const full: BackUp = async () => {
      runs++;
      throw new Failure('disk_full', 'no room is left');
    };
    const result = await nightly({}, full);
    expect(result.status).to.equal('failed');
    expect(stepsOf(result)).to.deep.equal({ run: 'failed', prune: 'ok', verify: 'ok' });
    for (let quarter = 0; quarter < 40; quarter++) {
      pass(0.25);
      await nightly({}, full);
    }
    expect(runs).to.equal(3);
  });

  it('says once that there is no repository, and does not begin what needs one', async () => {
    await untilDue();
    rmSync(server.repository, { recursive: true });
    const result = await nightly();
    expect(stepsOf(result)).to.deep.equal({ run: 'failed', prune: 'skipped', verify: 'skipped' });
    expect(server.log.filter(({ level }) => level === 'error')).to.have.length(1);
  });

  it('is made again when its process was killed', async () => {
    await untilDue();
    // What the night writes before it begins, and nothing after it.
    writeNight(server.stateDirectory, { begun: clock, tried: clock, tries: 1, done: false, steps: [] });
    expect((await status({}, server.context)).automatic.done).to.equal(false);
    pass(0.5);
    expect((await nightly()).due).to.equal(false);
    pass(0.5);
    expect(await nightly()).to.include({ due: true, status: 'ok' });
    expect((await status({}, server.context)).automatic.done).to.equal(true);
  });

  it('is stopped between its steps, and made again', async () => {
    await untilDue();
    const stopped: BackUp = async () => {
      throw new Failure('cancelled', 'the backup was stopped');
    };
    const failure = await nightly({}, stopped).catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'cancelled');
    pass(1);
    expect((await nightly()).due).to.equal(true);
  });

  it('verifies every unit, a part of the contents each night', async () => {
    for (let number = 2; number <= 5; number++) server.addAccount(`site${number}`);
    server.set('schedule', { time: '01:30', verifyWithin: '3 days' });
    await untilDue();
    for (let night = 0; night < 3; night++, pass(24)) expect(stepsOf(await nightly()).verify).to.equal('ok');
    const verified = (await status({}, server.context)).units.map((unit) => unit.verified);
    expect(verified).to.have.length(6);
    expect(verified.every((time) => time !== null)).to.equal(true);
  });

  it('is damaged when the verification finds damage, and the status says so until it is gone', async () => {
    await server.back('full');
    for (const pack of server.objects('packs')) writeFileSync(pack, 'garbage');
    server.set('schedule', { time: '01:30', verifyWithin: '1 day' });
    await untilDue();
    const result = await nightly();
    expect(result.status).to.equal('damaged');
    expect(await status({}, server.context)).to.have.property('status', 'damaged');
  });

  it('says as often as it tries that a setting cannot be used, and not each quarter of an hour', async () => {
    await untilDue();
    const settings = JSON.parse(readFileSync(server.settingsFile, 'utf8'));
    writeFileSync(server.settingsFile, JSON.stringify({ ...settings, exclude: 7 }));
    let told = 0;
    for (let quarter = 0; quarter < 30; quarter++, pass(0.25)) {
      const context = openContext(server.settingsFile, { progress: () => {}, log: () => {} }, new AbortController().signal);
      const ended = await nightlyWith(counted)({}, Object.assign(context, { now: server.now })).catch((error: unknown) => error);
      if (ended instanceof Failure) told++;
    }
    expect(told).to.equal(3);
    expect(runs).to.equal(0);
    writeFileSync(server.settingsFile, JSON.stringify(settings));
    expect((await status({}, server.context)).problems.map(({ code }) => code)).to.include('night_failed');
  });

  it('leaves the prune out as long as the key for it is elsewhere', async () => {
    const key = join(server.folder, 'prune-key');
    server.set('s3', { pruneCredentialsFile: key });
    await untilDue();
    const { status: outcome, steps } = await nightly();
    expect([outcome, steps.find(({ step }) => step === 'prune')?.status]).to.deep.equal(['ok', 'skipped']);
    expect(steps.find(({ step }) => step === 'prune')?.message).to.contain(key);
    writeFileSync(key, '', { mode: 0o600 });
    pass(24);
    expect(stepsOf(await nightly())).to.include({ prune: 'ok' });
  });

  it('leaves out what is switched off', async () => {
    server.set('schedule', { time: '01:30', prune: false, verifyWithin: false });
    await untilDue();
    expect(stepsOf(await nightly())).to.deep.equal({ run: 'ok', prune: 'skipped', verify: 'skipped' });
  });
});
