import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { type BackUp, nightlyWith } from '../../core/commands/nightly.ts';
import { run } from '../../core/commands/run.ts';
import { setSetting } from '../../core/commands/settings.ts';
import { status } from '../../core/commands/status.ts';
import { watch } from '../../core/commands/watch.ts';
import { openContext } from '../../core/context/open-context.ts';
import { Failure } from '../../core/failure.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { readKnownProblems } from '../../core/timeline/known-problems.ts';
import { writeNight } from '../../core/timeline/last-night.ts';
import { failureOf } from '../failure-of.ts';
import { MailSink, WebSink } from '../notify/sinks.ts';
import { Sandbox } from './sandbox.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('telling people of the nights', () => {
  let server: Sandbox;
  let mails: MailSink;
  let web: WebSink;
  let clock: number;
  before(async () => {
    web = await WebSink.open();
  });
  after(() => web.close());
  beforeEach(async () => {
    server = new Sandbox();
    mails = new MailSink(server.folder);
    web.asked.length = 0;
    web.answers = [200];
    writeFileSync(join(server.shadow, 'file'), 'content');
    server.set('schedule', { time: '01:30', verifyWithin: false });
    server.set('notify', { mail: ['root'] });
    clock = Temporal.Now.zonedDateTimeISO().startOfDay().subtract({ hours: 12 }).epochMilliseconds;
    server.now = () => new Date(clock);
    await server.init();
    await nightly();
    clock += 14 * HOUR;
  });
  afterEach(() => server.remove());

  const nightly = (backUp: BackUp = run) => nightlyWith(backUp)({}, server.context);
  const full: BackUp = async () => {
    throw new Failure('disk_full', 'no room is left');
  };
  /** All quarters of an hour of a night. */
  const wholeNight = async (backUp: BackUp = run) => {
    for (let quarter = 0; quarter < 20; quarter++) {
      await nightly(backUp).catch(() => {});
      clock += HOUR / 4;
    }
    clock += DAY - 5 * HOUR;
  };
  const subjects = () => mails.take().map(({ headers }) => headers.get('subject')?.replace(/^[^:]*: /, ''));

  it('is one message for a night that failed three times, each night again with since when, and one when all is well again', async () => {
    const began = new Date(clock).toISOString().slice(0, 16).replace('T', ' ');
    await wholeNight(full);
    expect(mails.mails[0]?.text).to.contain('run of the last automatic backup: no room is left');
    expect(subjects()).to.deep.equal(['the backup failed']);
    clock += HOUR;
    await wholeNight(full);
    expect(mails.mails[0]?.text).to.contain(`It is so since ${began} UTC (27 hours)`);
    expect(subjects()).to.deep.equal(['the backup failed']);
    await wholeNight();
    expect(mails.mails[0]?.text).to.match(/In order again:\n(?:.*\n)*? +a step of the backup failed, since /);
    expect(subjects()).to.deep.equal(['backups are in order again']);
    await wholeNight();
    expect(subjects()).to.deep.equal([]);
    server.set('notify', { mail: ['root'], always: true });
    await wholeNight();
    expect(subjects()).to.deep.equal(['all backups are in order']);
  });

  it('is one message for all accounts of a night, with the reason of each', async () => {
    for (let number = 2; number <= 30; number++) {
      const site = server.addAccount(`site${number}`);
      renameSync(join(site, 'shadow'), join(site, 'away'));
    }
    await wholeNight();
    const sent = mails.take();
    expect(sent).to.have.length(1);
    expect(sent[0]?.headers.get('subject')).to.contain('backups of 29 accounts need attention');
    expect(sent[0]?.text).to.contain('29 accounts (site2,').and.to.contain('and 19 more)');
  });

  it('tells that the repository is gone, and that its settings cannot be used, once a night', async () => {
    renameSync(server.repository, `${server.repository}-away`);
    await wholeNight();
    expect(mails.mails[0]?.text).to.contain('repository');
    expect(subjects()).to.deep.equal(['the backup failed']);
    renameSync(`${server.repository}-away`, server.repository);
    const settings = readFileSync(server.settingsFile, 'utf8');
    writeFileSync(server.settingsFile, JSON.stringify({ ...JSON.parse(settings), exclude: 7 }));
    for (let quarter = 0; quarter < 20; quarter++, clock += HOUR / 4) {
      const context = openContext(server.settingsFile, { progress: () => {}, log: () => {} }, new AbortController().signal);
      await nightlyWith(run)({}, Object.assign(context, { now: server.now })).catch(() => {});
    }
    expect(mails.mails[0]?.text).to.contain('exclude');
    expect(subjects()).to.deep.equal(['the backup failed']);
  });

  it('lets services know of the beginning and the end, and does not mind when they are not there', async () => {
    server.set('notify', {
      mail: false,
      heartbeats: [{ start: web.at('/start'), success: web.at('/ok'), failure: web.at('/fail') }],
    });
    expect((await nightly()).status).to.equal('ok');
    clock += DAY;
    expect((await nightly(full)).status).to.equal('failed');
    expect(web.asked.map(({ path }) => path)).to.deep.equal(['/start', '/ok', '/start', '/fail']);
    clock += DAY;
    web.answers = [410];
    expect(await nightly()).to.include({ status: 'ok', due: true });
    expect(server.log.filter(({ code }) => code === 'not_told')).to.have.length(2);
    const silent = () => [...readKnownProblems(server.stateDirectory).undelivered.keys()];
    expect(silent(), 'what doctor names').to.deep.equal(['heartbeat 1']);
    clock += DAY;
    web.answers = [200];
    await nightly();
    expect(silent()).to.deep.equal([]);
  });

  it('lets services know that a night was stopped, though nothing else is done any more', async () => {
    server.set('notify', { mail: false, heartbeats: [{ start: web.at('/start'), success: web.at('/ok'), failure: web.at('/fail') }] });
    const stop = new AbortController();
    const stopped: BackUp = async () => {
      while (web.asked.length === 0) await pause(5);
      stop.abort();
      throw new Failure('cancelled', 'the backup was stopped');
    };
    const { context } = server;
    const failure = await failureOf(() => nightlyWith(stopped)({ now: true }, { ...context, signal: stop.signal }));
    expect(failure.code).to.equal('cancelled');
    expect(web.asked.map(({ path }) => path)).to.deep.equal(['/start', '/fail']);
  });

  it('writes the metrics after a night, and when it is watched', async () => {
    mkdirSync(join(server.folder, 'textfile'));
    const metrics = join(server.folder, 'textfile/backup.prom');
    server.set('notify', { mail: false, metrics });
    await nightly();
    expect(readFileSync(metrics, 'utf8')).to.contain('apiscp_backup_last_success_timestamp_seconds{site="site1",domain="example.test"');
    expect(readFileSync(metrics, 'utf8')).to.match(/^apiscp_backup_last_duration_seconds [0-9.]+$/m);
    rmSync(metrics);
    server.set('enabled', false);
    await watch({}, server.context);
    expect(existsSync(metrics)).to.equal(true);
    renameSync(server.repository, `${server.repository}-away`);
    await watch({}, server.context);
    expect(readFileSync(metrics, 'utf8')).to.contain('apiscp_backup_readable 0');
  });

  describe('by a second timer', () => {
    const watched = () => watch({}, server.context);

    it('tells once that no backup was made though one was due, and since when, and the night after tells that it is over', async () => {
      await wholeNight();
      expect(await watched()).to.include({ told: false });
      clock += 9 * HOUR;
      expect(await watched()).to.include({ status: 'ok', told: true });
      expect(mails.mails[0]?.text).to.contain('the last automatic backup began').and.to.contain('It is so since');
      expect(subjects()).to.deep.equal(['a backup that was due was not made']);
      for (let hour = 0; hour < 12; hour++, clock += HOUR) await watched();
      expect(subjects()).to.deep.equal([]);
      clock += DAY;
      await watched();
      expect(subjects()).to.deep.equal(['a backup that was due was not made']);
      await wholeNight();
      expect(subjects()).to.deep.equal(['backups are in order again']);
    });

    it('tells of a night whose process was ended each time, and of one that hangs', async () => {
      writeNight(server.stateDirectory, { begun: clock, tried: clock, tries: 1, done: false, steps: [] });
      clock += HOUR;
      expect(await watched()).to.include({ told: false });
      clock += 2 * HOUR;
      expect(await watched()).to.include({ told: true });
      expect(subjects()).to.deep.equal(['a backup that was due was not made']);
      const lock = takeLock(server.stateDirectory, 'nightly', 'the automatic backup');
      try {
        expect(await watched()).to.include({ told: false, message: 'a backup is at work' });
        clock += 40 * HOUR;
        expect(await watched()).to.include({ told: true });
        expect(mails.mails[0]?.text).to.contain('and is at work still');
      } finally {
        lock.release();
      }
    });

    it('tells a day after the installation that nothing has started the backups, and not before', async () => {
      rmSync(join(server.stateDirectory, 'night.json'));
      expect(await watched()).to.include({ told: false });
      clock += 23 * HOUR;
      expect(await watched()).to.include({ told: false });
      clock += 2 * HOUR;
      expect(await watched()).to.include({ told: true });
      expect(await watched()).to.include({ told: false });
    });

    it('lets services know of a night that was killed, once', async () => {
      server.set('notify', { mail: false, heartbeats: [{ success: web.at('/ok'), failure: web.at('/fail') }] });
      writeNight(server.stateDirectory, { begun: clock, tried: clock, tries: 1, done: false, steps: [] });
      clock += 3 * HOUR;
      await watched();
      await watched();
      expect(web.asked.map(({ path }) => path)).to.deep.equal(['/fail']);
    });

    it('says that it may tell the same again where that cannot be remembered, and not that nobody was told', async () => {
      writeNight(server.stateDirectory, { begun: clock, tried: clock, tries: 1, done: false, steps: [] });
      clock += 3 * HOUR;
      rmSync(join(server.stateDirectory, 'problems.json'), { force: true });
      mkdirSync(join(server.stateDirectory, 'problems.json', 'in the way'), { recursive: true });
      expect(await watched()).to.include({ told: true });
      expect(server.log.map(({ code }) => code))
        .to.include('state_unusable')
        .and.not.to.include('not_told');
      rmSync(join(server.stateDirectory, 'problems.json'), { recursive: true });
    });

    it('tells nothing while automatic backups are off, nor while a night is tried again', async () => {
      await nightly(full);
      expect(await watched()).to.include({ told: false });
      server.set('enabled', false);
      clock += 10 * DAY;
      expect(await watched()).to.include({ told: false });
      expect(subjects()).to.deep.equal([]);
    });

    it('tries again what reached nobody, with all that it was about, and gives up in the end', async () => {
      mails.works(false);
      await wholeNight(full);
      clock -= 19 * HOUR;
      expect(await watched()).to.include({ status: 'failed', told: false });
      mails.works(true);
      expect(await watched()).to.include({ told: true });
      expect(subjects()).to.deep.equal(['the backup failed']);
      expect(await watched()).to.include({ told: false });
      mails.works(false);
      clock += 19 * HOUR;
      await wholeNight();
      clock -= 19 * HOUR;
      let tries = 0;
      while ((await watched()).status === 'failed') tries++;
      expect(tries).to.equal(5);
    });

    it('sends a test by every way that is set, and says which does not work', async () => {
      server.set('notify', { mail: ['root'], webhooks: [{ url: web.at('/test') }, { url: join(server.folder, 'no-file') }] });
      const result = await watch({ test: true }, server.context);
      expect(result).to.include({ status: 'partial', told: true });
      expect(result.failed.map(({ way }) => way)).to.deep.equal(['webhook 2']);
      expect(JSON.parse(web.asked[0]?.body ?? '')).to.have.property('type', 'backup.test');
      expect(mails.take()).to.have.length(1);
    });
  });

  it('refuses a setting that would tell nobody, and keeps the one before', async () => {
    const { settingsFile, folder } = server;
    const set = (value: unknown) => setSetting({ name: 'notify', value }, { settingsFile }).catch((error: Failure) => error.code);
    const before = readFileSync(settingsFile, 'utf8');
    const wrong = [
      { webhooks: [{ url: 'ftp://example.test' }] },
      { webhooks: [{ url: 'https://example.test', key: join(folder, 'missing') }] },
      { heartbeats: [{ success: join(folder, 'missing') }] },
      { mail: ['a b@example.test'] },
      { mail: ['-oQ/tmp@x'] },
      { mail: ['x@y.test\nBcc: z@y.test'] },
      { metrics: '/var/lib/metrics.txt' },
    ];
    for (const value of wrong) expect(await set(value), JSON.stringify(value)).to.equal('usage');
    expect(readFileSync(settingsFile, 'utf8')).to.equal(before);
    expect(await set({ mail: ['ops@example.test'], heartbeats: [{ success: 'https://example.test/1' }] })).to.have.property('name');
  });

  it('survives a clock that goes back, and what it remembers being lost or garbage', async () => {
    await wholeNight(full);
    subjects();
    clock -= 30 * DAY;
    await wholeNight(full);
    expect(subjects()).to.deep.equal(['the backup failed']);
    for (const garbage of ['', '{}', '{"since":[7],"told":3,"tries":"x","undelivered":{}}', 'null']) {
      writeFileSync(join(server.stateDirectory, 'problems.json'), garbage);
      await wholeNight(full);
      expect(subjects(), garbage).to.deep.equal(['the backup failed']);
    }
  });

  it('is known to the status: since when each account fails, is overdue, or is missing', async () => {
    await wholeNight();
    renameSync(server.shadow, join(server.folder, 'away'));
    const first = clock;
    await wholeNight();
    const second = clock;
    await wholeNight();
    clock += 3 * DAY;
    const problems = new Map((await status({}, server.context)).problems.map(({ code, since }) => [code, since]));
    expect(problems.get('root_missing')).to.equal(new Date(first).toISOString());
    expect(Date.parse(problems.get('failed') ?? problems.get('incomplete') ?? '')).to.be.within(first, second);
    expect(Date.parse(problems.get('night_missed') ?? ''))
      .to.be.greaterThan(second)
      .and.to.be.lessThan(clock);
  });
});
