import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { METHODS } from '../../core/commands/registry.ts';
import { cancel, job, jobs, log } from '../../core/jobs/job-commands.ts';
import { standIn } from '../../core/jobs/perform-job.ts';
import { EventLog, readEvents } from '../../core/jobs/record/event-log.ts';
import { askToStop, createRecord, isAskedToStop, type JobRecord, readOutcome, writeOutcome } from '../../core/jobs/record/job-record.ts';
import { recordIds, removeOldRecords } from '../../core/jobs/record/old-records.ts';
import { FILES, jobsFolder, recordFolder, ticketsFolder } from '../../core/jobs/record/places.ts';
import { HeldTicket, liveTicket } from '../../core/jobs/record/ticket.ts';
import { startJob } from '../../core/jobs/start-job.ts';
import { EXIT } from '../../core/schemas/exit-codes.ts';
import type { StartRequest } from '../../core/schemas/jobs.ts';
import { failureOf } from '../failure-of.ts';
import { jsonLines, MAIN } from '../program.ts';
import { argumentsOf, JobServer } from './server.ts';

const owners = (site: string): StartRequest => ({
  method: 'restore',
  user: `admin-${site}`,
  request: { unit: site, policy: 'owner', paths: ['shadow/var'] },
});

describe('the records of jobs', () => {
  let server: JobServer;
  /** Stands in for systemd-run: writes down what it was asked, and starts nothing. */
  let starter: string;

  before(async () => {
    server = new JobServer();
    await server.program(['init']);
    starter = join(server.folder, 'systemd-run');
    writeFileSync(starter, `#!/bin/sh\nprintf '%s\\n' "$@" >> ${server.folder}/asked\nprintf '%s\\n' "$0 $*" >> ${server.folder}/lines\n`);
    chmodSync(starter, 0o700);
  });
  afterEach(() => {
    rmSync(jobsFolder(server.stateDirectory), { recursive: true, force: true });
    rmSync(join(server.folder, 'asked'), { force: true });
  });
  after(() => server.remove());

  const start = (request: StartRequest, by: string | undefined = starter) => startJob(request, server.context, METHODS, by);

  it('go to a unit of systemd, whose arguments have the limits and nothing of the request', async () => {
    const request = { method: 'verify', request: { unit: 'site1', identity: '/root/secret-key' } } as const;
    const { job: id, place } = await start(request);
    expect(place).to.equal('unit');
    const asked = readFileSync(join(server.folder, 'asked'), 'utf8').split('\n').slice(0, -1);
    for (const property of ['Nice=10', 'IOWeight=20', 'MemoryMax=50%', 'LimitFSIZE=infinity', 'OOMScoreAdjust=0', 'KillMode=mixed']) {
      expect(asked).to.include(`--property=${property}`);
    }
    expect(asked).to.include(`--unit=apiscp-backup-job-${id.toLowerCase()}`).and.to.include('--collect');
    const program = asked.slice(asked.indexOf('--') + 1);
    expect(program[0]).to.equal(process.execPath);
    const settling = asked.find((argument) => argument.startsWith('--property=ExecStopPost='));
    expect(settling).to.match(new RegExp(` settle-job ${join(jobsFolder(server.stateDirectory), 'records', id)}$`));
    expect(program.slice(-3)).to.deep.equal(['perform-job', join(jobsFolder(server.stateDirectory), 'records', id), server.settingsFile]);
    expect(asked.join(' ')).not.to.match(/secret-key|site1/);
    await start({ method: 'restore', request: { unit: 'site1', to: join(server.folder, 'to') } });
    expect(readFileSync(join(server.folder, 'asked'), 'utf8').split('--quiet').at(-1))
      .to.contain('Nice=0')
      .and.not.to.contain('IOWeight');
  });

  it('go to a session where systemd-run refuses, which is told; once more without what only a newer systemd knows', async () => {
    const refusing = join(server.folder, 'refusing');
    writeFileSync(refusing, `#!/bin/sh\ncase "$*" in *OOMPolicy*) echo old >&2; exit 1;; esac\nexit 0\n`);
    chmodSync(refusing, 0o700);
    expect(await start({ method: 'verify', request: { unit: 'site2' } }, refusing)).to.include({ place: 'unit' });
    writeFileSync(refusing, '#!/bin/sh\necho Failed to connect to bus >&2\nexit 1\n');
    const { place, job: id } = await start({ method: 'verify', request: { quick: true } }, refusing);
    expect(place).to.equal('session');
    expect(server.log.at(-1))
      .to.include({ code: 'unit_refused' })
      .and.to.have.property('message')
      .that.contains('Failed to connect to bus');
    expect((await server.until(id, ({ ended }) => ended !== null)).state).to.equal('ok');
  });

  describe('where systemd is late', () => {
    /** Stands in for a systemd-run that answers, and starts the unit, when it is let. */
    let late: string;
    const come = () => writeFileSync(join(server.folder, 'let'), '');

    before(() => {
      late = join(server.folder, 'late');
      const waiting = `while ! [ -e ${server.folder}/let ]; do sleep 0.05; done`;
      writeFileSync(
        late,
        `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\n${waiting}\n[ -e ${server.folder}/never ] || exec "$@"\n`,
      );
      chmodSync(late, 0o700);
    });
    afterEach(() => {
      come();
      for (const name of ['let', 'never']) rmSync(join(server.folder, name), { force: true });
    });

    it('do not wait for it: the unit does the work when it comes, and another process only where none does', async () => {
      const { place, job: id } = await start({ method: 'verify', request: { quick: true } }, late);
      expect(place).to.equal('session');
      expect(server.log.at(-1)?.message).to.contain('unless one comes within seconds');
      expect((await server.until(id, () => true)).state).to.equal('waiting');
      expect(server.processes().map((pid) => argumentsOf(pid).at(-3))).to.include('stand-in-for-job');
      come();
      expect((await server.until(id, ({ ended }) => ended !== null)).state).to.equal('ok');
      expect(readEvents(recordFolder(server.stateDirectory, id)).filter(({ code }) => code === 'begun')).to.have.length(1);
      // Whoever stood in sees that, and goes.
      while (server.processes().length > 0) await pause(20);
    });

    it('are left to whoever comes first', async () => {
      const { job: id } = await start({ method: 'verify', request: { quick: true } });
      const standing = standIn(recordFolder(server.stateDirectory, id), server.settingsFile, new Map());
      const ticket = await HeldTicket.take(server.stateDirectory, id);
      expect(await standing).to.equal(EXIT.locked);
      ticket?.giveBack();
      // There is none any more: the job has ended.
      expect(await standIn(recordFolder(server.stateDirectory, id), server.settingsFile, new Map())).to.equal(EXIT.locked);
    });

    it('have a job that nobody comes for carried out all the same', async () => {
      writeFileSync(join(server.folder, 'never'), '');
      const { job: id } = await start({ method: 'verify', request: { quick: true } }, late);
      expect((await server.until(id, ({ ended }) => ended !== null)).state).to.equal('ok');
    });
  });

  describe('whose unit has ended', () => {
    const settle = (id: string, env: Record<string, string>) =>
      execFileSync(process.execPath, [MAIN, 'settle-job', recordFolder(server.stateDirectory, id)], { env, stdio: 'pipe' });

    it('say why, where the job did not, and send away who waits for it', async () => {
      const fifo = join(server.folder, 'fifo');
      execFileSync('mkfifo', ['-m', '600', fifo]);
      const { job: id } = await start({ method: 'download', request: { unit: 'site1', paths: ['shadow/var'], fifo } });
      const reader = spawn('cat', [fifo], { stdio: 'ignore' });
      const left = once(reader, 'exit');
      // Its process came, and is gone.
      writeFileSync(join(ticketsFolder(server.stateDirectory), id), 'w', { flag: 'r+' });
      settle(id, { SERVICE_RESULT: 'signal', EXIT_CODE: 'killed', EXIT_STATUS: 'SEGV' });
      const { state, ended, error } = await job({ job: id }, server.context);
      expect([state, error?.code]).to.deep.equal(['failed', 'job_lost']);
      expect(error?.message).to.contain('it was killed (SIGSEGV)');
      expect(ended).not.to.equal(null);
      expect(await left).to.deep.equal([0, null]);
      expect(existsSync(fifo)).to.equal(false);
      expect(existsSync(join(ticketsFolder(server.stateDirectory), id))).to.equal(false);
    });

    it('are seen as lost, too, where that cannot be written: the system’s log has it, and nobody waits', async () => {
      const fifo = join(server.folder, 'fifo');
      execFileSync('mkfifo', ['-m', '600', fifo]);
      const { job: id } = await start({ method: 'download', request: { unit: 'site1', paths: ['shadow/var'], fifo } });
      writeFileSync(join(ticketsFolder(server.stateDirectory), id), 'w', { flag: 'r+' });
      const folder = recordFolder(server.stateDirectory, id);
      mkdirSync(join(folder, 'outcome.json.new'));
      rmSync(join(folder, 'reserve'));
      expect(() => settle(id, { EXIT_CODE: 'exited', EXIT_STATUS: '1' }))
        .to.throw()
        .with.property('stderr')
        .that.satisfies((said: Buffer) => said.includes(`why the job ${id} ended cannot be recorded`));
      expect(await job({ job: id }, server.context)).to.include({ state: 'failed' });
      expect(existsSync(fifo)).to.equal(false);
    });

    it('stay as they are where the job said what came of it, or another process has it', async () => {
      const { job: id } = await start({ method: 'verify', request: { unit: 'site1' } });
      const ticket = await HeldTicket.take(server.stateDirectory, id);
      settle(id, { SERVICE_RESULT: 'oom-kill' });
      expect((await job({ job: id }, server.context)).state).to.equal('waiting');
      writeOutcome(recordFolder(server.stateDirectory, id), { state: 'ok', ended: '2026-11-26T01:02:03.000Z', result: {}, error: null });
      ticket?.giveBack();
      settle(id, { SERVICE_RESULT: 'oom-kill' });
      expect(await job({ job: id }, server.context)).to.include({ state: 'ok', ended: '2026-11-26T01:02:03.000Z' });
    });
  });

  it('cost the answer nothing, however many there are, and no part of the program that does the work', async () => {
    const input = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'start', params: { method: 'verify', request: { quick: true } } })}\n`;
    const listing = join(server.folder, 'listing.cjs');
    writeFileSync(listing, `process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')));\n`);
    const looks = async (): Promise<{ files: number; loaded: string[] }> => {
      const trace = join(server.folder, 'trace');
      const program = [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        '-r',
        listing,
        MAIN,
        'rpc',
        '--config',
        server.settingsFile,
      ];
      const options = { input, env: { NODE_COMPILE_CACHE: undefined } };
      const { stdout, stderr } = await execa('strace', ['-qq', '-e', 'trace=file', '-o', trace, ...program], options);
      const [answer] = jsonLines(`${stdout}\n`) as [{ result: { job: string } }];
      await server.until(answer.result.job, ({ ended }) => ended !== null);
      while (server.processes().length > 0) await pause(20);
      const calls = readFileSync(trace, 'utf8').split('\n');
      return { files: calls.filter((call) => call.includes(server.stateDirectory)).length, loaded: stderr.split('\n') };
    };
    // Makes the folders.
    await looks();
    const alone = await looks();
    const ids = Array.from({ length: 63 }, (_, number) => `20250101T0000000${String(number).padStart(2, '0')}Z-00000000`);
    const common = { method: 'run', request: {}, user: null, created: '2025-01-01T00:00:00.000Z', directory: '/' } as const;
    const asker = { role: 'owner', site: 'site1', incarnation: 'x' } as const;
    for (const id of ids) createRecord(server.stateDirectory, { id, ...common, asker });
    const among = await looks();
    expect(among.files).to.equal(alone.files);
    expect(among.files).to.be.below(40);
    expect(among.loaded).to.include('NativeModule child_process');
    const heavy = ['crypto', 'zlib', 'http', 'https', 'tls', 'readline', 'sqlite'].map((name) => `NativeModule ${name}`);
    expect(among.loaded.filter((name) => heavy.includes(name))).to.deep.equal([]);
  });

  it('that something else stands in the place of are none, and nobody waits for them', async () => {
    const { stateDirectory } = server;
    const common = { method: 'run', request: {}, user: null, created: '2025-01-01T00:00:00.000Z', directory: '/' } as const;
    const asker = { role: 'administrator', site: null, incarnation: null } as const;
    const others: Record<string, (file: string) => void> = {
      fifo: (file) => execFileSync('mkfifo', [file]),
      link: (file) => symlinkSync('/etc/passwd', file),
      folder: (file) => mkdirSync(file),
      cut: (file) => writeFileSync(file, '{"id":"2025'),
      null: (file) => writeFileSync(file, 'null'),
      zeros: (file) => writeFileSync(file, Buffer.alloc(4096)),
    };
    for (const [number, [kind, put]] of Object.entries(others).entries()) {
      for (const [place, name] of Object.values(FILES).entries()) {
        const id = `20250101T0000${number}${place}000Z-00000000`;
        const folder = createRecord(stateDirectory, { id, ...common, asker });
        rmSync(join(folder, name), { force: true });
        put(join(folder, name));
        const view = await job({ job: id }, server.context).catch((error) => error.code);
        if (name === 'job.json') expect(view, kind).to.equal('job_unknown');
        else expect(view, `${kind} ${name}`).to.include({ state: 'failed' });
        if (name !== 'job.json') expect((await log({ job: id }, server.context)).events, `${kind} ${name}`).to.deep.equal([]);
        new EventLog(folder).add({ kind: 'state', level: 'info', code: 'begun', message: '' });
      }
      mkdirSync(ticketsFolder(stateDirectory), { recursive: true });
      const id = `20250101T00000000${number}Z-00000000`;
      put(join(ticketsFolder(stateDirectory), id));
      expect(liveTicket(stateDirectory, id), kind).to.equal(undefined);
    }
    const { job: id } = await startJob({ method: 'verify', request: { quick: true } }, server.context, METHODS);
    expect((await server.until(id, ({ ended }) => ended !== null)).state).to.equal('ok');
  });

  it('of an owner are that owner’s and the administrator’s alone', async () => {
    const { job: first } = await start(owners('site1'));
    const { job: second } = await start(owners('site2'));
    const { job: third } = await start({ method: 'verify', request: { unit: 'site1' } });
    const { context } = server;
    const site1 = { policy: 'owner', unit: 'site1' } as const;
    expect((await jobs(site1, context)).jobs.map((view) => view.job)).to.deep.equal([first]);
    expect(await job({ job: first, ...site1 }, context)).to.include({
      site: 'site1',
      user: 'admin-site1',
      role: 'owner',
      state: 'waiting',
    });
    for (const id of [second, third, '20261126T000000000Z-00000000']) {
      for (const method of [job, cancel, log]) {
        const { code, message } = await failureOf(() => method({ job: id, ...site1 }, context));
        expect([code, message]).to.deep.equal(['job_unknown', `there is no job ${id}`]);
      }
    }
    expect((await jobs({}, context)).jobs.map((view) => view.job)).to.have.members([first, second, third]);
    expect((await jobs({ limit: 2 }, context)).next).to.equal(second);
    expect((await jobs({ limit: 2, after: second }, context)).jobs.map((view) => view.job)).to.deep.equal([first]);
    // The next customer of the name.
    server.removeAccount('site1');
    server.addAccount('site1');
    expect((await jobs(site1, context)).jobs).to.deep.equal([]);
    expect((await failureOf(() => job({ job: first, ...site1 }, context))).code).to.equal('job_unknown');
    expect((await failureOf(() => jobs({ policy: 'owner' }, context))).code).to.equal('usage');
    expect((await failureOf(() => jobs({ policy: 'owner', unit: 'site77' }, context))).code).to.equal('unit_unknown');
  });

  it('are as many as there is room for, and no more of one site', async () => {
    const site = await Promise.allSettled([1, 2, 3, 4].map(() => start(owners('site1'))));
    expect(site.filter(({ status }) => status === 'fulfilled')).to.have.length(3);
    const many = Array.from({ length: 50 }, (_, number) => start({ method: 'verify', request: { unit: `site${number + 1}` } }));
    const ended = await Promise.allSettled(many);
    expect(ended.filter(({ status }) => status === 'fulfilled')).to.have.length(37);
    const refused = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason as { code: string; retry: boolean }] : []));
    expect(new Set(refused.map(({ code, retry }) => `${code} ${retry}`))).to.deep.equal(new Set(['too_many_jobs true']));
    expect((await jobs({ live: true }, server.context)).jobs).to.have.length(40);
  });

  it('are one for a run that is asked for twice, unless somebody else asks', async () => {
    const run = (units: string[], given: object = {}): StartRequest => ({ method: 'run', request: { units, ...given } });
    const [first, again] = await Promise.all([start(run(['site1', 'site2'])), start(run(['site2', 'site1'], { level: 'auto' }))]);
    expect(first.job).to.equal(again.job);
    expect([first.joined, again.joined]).to.have.members([true, false]);
    expect((await start(run(['site1', 'site2'], { level: 'full' }))).joined).to.equal(false);
    expect((await start(run(['site1']))).joined).to.equal(false);
    expect((await start(run(['site1'], { policy: 'owner' }))).joined).to.equal(false);
    expect((await start(run(['site1'], { policy: 'owner' }))).joined).to.equal(true);
    // It would never do what is asked for now.
    await cancel({ job: first.job }, server.context);
    const fresh = await start(run(['site1', 'site2']));
    expect(fresh).to.include({ joined: false }).and.not.to.include({ job: first.job });
  });

  it('refuse an owner’s wishes before anything is started', async () => {
    const cases: [StartRequest, string][] = [
      [{ method: 'run', request: { units: ['site1'], policy: 'owner', level: 'full' } }, 'owner_limit'],
      [{ method: 'run', request: { policy: 'owner' } }, 'usage'],
      [{ method: 'run', request: { units: ['site1', 'site2'], policy: 'owner' } }, 'usage'],
      [{ method: 'restore', request: { unit: 'site99', policy: 'owner' } }, 'unit_unknown'],
      [{ method: 'restore', request: { unit: 'site1', rubbish: 1 } }, 'usage'],
    ];
    for (const [request, code] of cases) expect((await failureOf(() => start(request))).code, JSON.stringify(request)).to.equal(code);
    expect(recordIds(server.stateDirectory)).to.deep.equal([]);
  });

  it('of a job whose starter was killed in between is no running one', async () => {
    const { job: id } = await start(owners('site1'));
    rmSync(join(jobsFolder(server.stateDirectory), 'tickets', id));
    expect(await job({ job: id }, server.context)).to.include({ state: 'failed', ended: null });
  });

  it('keep the last events of a flood, within bounds, and pass over what was cut', () => {
    const folder = join(server.folder, 'flood');
    mkdirSync(folder);
    const events = new EventLog(folder);
    const message = 'x'.repeat(5000);
    for (let number = 0; number < 2000; number++) events.add({ kind: 'notice', level: 'warning', code: 'flood', message });
    expect(readdirSync(folder)).to.have.members(['events.jsonl', 'events.1.jsonl']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).to.be.lessThan(300_000);
    expect(readEvents(folder).at(-1)).to.include({ number: 2000 });
    truncateSync(join(folder, 'events.jsonl'), statSync(join(folder, 'events.jsonl')).size - 5);
    expect(readEvents(folder).at(-1)).to.include({ number: 1999 });
  });

  it('go when they are many or old, but never because a clock jumped, and never of a job that lives', async () => {
    const { stateDirectory } = server;
    const record = (number: number, site: string | null): JobRecord => ({
      ...{ id: `20250101T000000${String(number).padStart(3, '0')}Z-00000000`, method: 'run', request: {}, user: null, directory: '/' },
      asker: site === null ? { role: 'administrator', site, incarnation: null } : { role: 'owner', site, incarnation: 'x' },
      created: '2025-01-01T00:00:00.000Z',
    });
    const { job: live } = await start(owners('site2'));
    for (let number = 80; number < 86; number++) createRecord(stateDirectory, record(number, 'site1'));
    for (let number = 0; number < 40; number++) createRecord(stateDirectory, record(number, 'site1'));
    for (let number = 40; number < 73; number++) createRecord(stateDirectory, record(number, null));
    mkdirSync(join(jobsFolder(stateDirectory), 'records/half.new'));
    removeOldRecords(stateDirectory, Date.now());
    expect(recordIds(stateDirectory)).to.have.length(1 + 30 + 33);
    removeOldRecords(stateDirectory, Date.now() + 10 * 365 * 86_400_000);
    expect(recordIds(stateDirectory)).to.have.length(50).and.to.include(live);
    expect(existsSync(join(jobsFolder(stateDirectory), 'records/half.new'))).to.equal(false);
  });

  it('of days to come, from a clock that was ahead, take no place of those that came since', () => {
    const { stateDirectory } = server;
    const record = (id: string): JobRecord => ({
      ...{ id, method: 'run', request: {}, user: null, directory: '/', created: '2025-01-01T00:00:00.000Z' },
      asker: { role: 'administrator', site: null, incarnation: null },
    });
    for (const id of recordIds(stateDirectory)) rmSync(join(jobsFolder(stateDirectory), 'records', id), { recursive: true });
    const ids = (year: number, count: number) =>
      Array.from({ length: count }, (_, number) => `${year}0101T000000${String(number).padStart(3, '0')}Z-00000000`);
    for (const id of [...ids(2099, 20), ...ids(2025, 492)]) createRecord(stateDirectory, record(id));
    removeOldRecords(stateDirectory, Date.parse('2025-01-02'));
    expect(recordIds(stateDirectory).filter((id) => id.startsWith('2025'))).to.have.length(492);
    expect(recordIds(stateDirectory)).to.have.length(500);
  });

  it('are needed for a job, and for nothing else: on a read-only disk it is refused, and what is there can be seen', async () => {
    const { job: id } = await start({ method: 'verify', request: { unit: 'site1' } });
    execFileSync('mount', ['--bind', server.stateDirectory, server.stateDirectory]);
    execFileSync('mount', ['-o', 'remount,ro,bind', server.stateDirectory]);
    try {
      const refused = await failureOf(() => start({ method: 'verify', request: { unit: 'site2' } }));
      expect(refused).to.include({ code: 'io_error', retry: true }).and.to.have.property('message').that.contains('cannot be recorded');
      expect((await jobs({}, server.context)).jobs.map((view) => view.job)).to.deep.equal([id]);
      expect((await server.json<{ status: string }>('verify', '--quick')).status).to.equal('ok');
    } finally {
      execFileSync('umount', [server.stateDirectory]);
    }
  });

  it('can be asked to stop on a disk that has no room for one more file', () => {
    const disk = join(server.folder, 'no-files');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,nr_inodes=12', 'tmpfs', disk]);
    try {
      const asker = { role: 'administrator', site: null, incarnation: null } as const;
      const id = '20260101T000000000Z-00000000';
      const folder = createRecord(disk, { id, method: 'run', request: {}, asker, user: null, created: '', directory: '/' });
      expect(() => {
        for (let file = 0; ; file++) writeFileSync(join(disk, `${file}`), '');
      }).to.throw('ENOSPC');
      expect(isAskedToStop(folder)).to.equal(false);
      askToStop(folder);
      expect(isAskedToStop(folder)).to.equal(true);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('say on a full disk what came of the job', async () => {
    const disk = join(server.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk]);
    try {
      const id = '20260101T000000000Z-00000000';
      const asker = { role: 'administrator', site: null, incarnation: null } as const;
      const folder = createRecord(disk, { id, method: 'run', request: {}, asker, user: null, created: '', directory: '/' });
      try {
        writeFileSync(join(disk, 'rest'), Buffer.alloc(1024 * 1024));
      } catch {}
      const error = { code: 'disk_full', message: 'full '.repeat(1000), affected: ['a'], advice: null, retry: true };
      writeOutcome(folder, { state: 'partial', ended: 'now', result: { units: ['x'.repeat(10_000)] }, error });
      expect(readOutcome(folder))
        .to.deep.include({ state: 'partial', result: null })
        .and.to.have.nested.property('error.code', 'disk_full');
      expect(
        (
          await failureOf(async () =>
            createRecord(disk, { id: `${id}1`, method: 'run', request: {}, asker, user: null, created: '', directory: '/' }),
          ).catch((error: NodeJS.ErrnoException) => error)
        ).code,
      ).to.equal('ENOSPC');
      expect(readdirSync(join(disk, 'jobs/records'))).to.deep.equal([id]);
    } finally {
      await pause(0);
      execFileSync('umount', [disk]);
    }
  });
});
