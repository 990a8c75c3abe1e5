import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { METHODS } from '../../core/commands/registry.ts';
import { cancel, jobs, log as logOf } from '../../core/jobs/job-commands.ts';
import { ticketsFolder } from '../../core/jobs/record/places.ts';
import { liveTicket } from '../../core/jobs/record/ticket.ts';
import { startJob } from '../../core/jobs/start-job.ts';
import type { JobsResult, JobView, LogResult, StartResult } from '../../core/schemas/jobs.ts';
import type { WireError } from '../../core/schemas/parts.ts';
import * as results from '../commands/results.generated.js';
import { isAlive } from '../processes.ts';
import { jsonLines } from '../program.ts';
import { argumentsOf, JobServer } from './server.ts';

/** Milliseconds after the start. */
const MOMENTS = process.env.SLOW === '1' ? Array.from({ length: 40 }, (_, number) => number * 40) : [350, 600];

describe('a job', function () {
  this.timeout(60_000);
  let server: JobServer;

  before(async () => {
    server = new JobServer();
    await server.program(['init']);
  });
  afterEach(() => server.limit());
  after(() => server.remove());

  it('is answered with its id, and keeps what came of it', async () => {
    const started = await server.json<StartResult>('run', 'site2', '--background');
    expect(results.validateStartResult(started), JSON.stringify(started)).to.equal(true);
    expect(started).to.include({ method: 'run', role: 'administrator', joined: false });
    const ended = await server.until(started.job, ({ ended }) => ended !== null);
    expect(results.validateJobResult(ended), JSON.stringify(ended)).to.equal(true);
    expect(ended).to.include({ state: 'ok', error: null });
    expect(ended.request).to.deep.equal({ units: ['site2'] });
    expect(ended.result).to.have.nested.property('units[0].unit', 'site2');
    const log = await server.json<LogResult>('log', started.job);
    expect(results.validateLogResult(log)).to.equal(true);
    expect(log.events.map(({ code }) => code)).to.include.members(['begun', 'backup', 'ended']);
    expect((await logOf({ job: started.job, after: log.next }, server.context)).events).to.deep.equal([]);
    const folder = join(server.stateDirectory, 'jobs/records', started.job);
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder, 'job.json')).mode & 0o777).to.equal(0o600);
    const people = await server.program(['job', started.job]);
    expect(people.stdout).to.contain('Backup: ok.');
  });

  it('lives on when the whole group of whoever asked for it is killed, in a session of its own and with nothing of the request in its arguments', async () => {
    server.makeSlow();
    const request = {
      jsonrpc: '2.0',
      id: 1,
      method: 'start',
      params: { method: 'run', request: { units: ['site1'], level: 'incremental' } },
    };
    const caller = server.program(['rpc'], undefined, true);
    caller.stdin?.write(`${JSON.stringify(request)}\n`);
    const [line] = (await caller.stdout!.take(1).toArray()) as [Buffer];
    process.kill(-caller.pid!, 'SIGKILL');
    await caller;
    const { job } = (jsonLines(line.toString())[0] as { result: StartResult }).result;
    await server.until(job, ({ progress }) => progress !== null);
    const [pid, ...others] = server.processes() as [number];
    expect(others).to.deep.equal([]);
    expect(argumentsOf(pid).join(' ')).not.to.contain('incremental');
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3];
    expect(Number(session)).to.equal(pid);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).to.match(/Max file size\s+unlimited/);

    // The same again is the same job, whoever asks.
    const again = await server.json<StartResult>('run', 'site1', '--level', 'incremental', '--background');
    expect(again).to.include({ job, joined: true, place: null });

    const stopping = await cancel({ job }, server.context);
    expect(stopping).to.include({ state: 'running', cancelling: true });
    const ended = await server.until(job, ({ ended }) => ended !== null);
    expect(ended).to.include({ state: 'cancelled' });
    while (isAlive(pid)) await pause(10);
    expect(await cancel({ job }, server.context), 'has ended already').to.include({ state: 'cancelled', cancelling: false });
  });

  it('whose process is killed has failed in the same moment, and holds up nobody', async () => {
    server.makeSlow();
    const { job } = await server.json<StartResult>('run', 'site1', '--background');
    await server.until(job, ({ progress }) => progress !== null);
    const [pid] = server.processes() as [number];
    process.kill(pid, 'SIGKILL');
    // The kernel ends one thread after the other.
    const lost = await server.until(job, ({ state }) => state !== 'running');
    expect(lost).to.include({ state: 'failed', result: null }).and.to.have.nested.property('error.code', 'job_lost');
    server.limit();
    const next = await server.json<StartResult>('run', 'site2', '--background');
    expect(await server.until(next.job, ({ ended }) => ended !== null)).to.include({ state: 'ok' });
  });

  it('that is stopped at once is stopped', async () => {
    const { job } = await server.json<StartResult>('run', 'site1', '--background');
    await cancel({ job }, server.context);
    expect(await server.until(job, ({ ended }) => ended !== null)).to.include({ state: 'cancelled' });
  });

  it('that is stopped or killed at any moment leaves whole backups, and the next one nothing to wait for', async function () {
    this.timeout(600_000);
    server.limit({ readRate: '4 MiB/s' });
    for (const [number, delay] of MOMENTS.entries()) {
      writeFileSync(join(server.folder, 'virtual/site2/shadow/var/changed'), randomBytes(2 * 1024 * 1024));
      const { job } = await server.json<StartResult>('run', 'site2', '--background');
      await pause(delay);
      if (number % 2 === 0) await cancel({ job }, server.context);
      else for (const pid of server.processes()) process.kill(pid, 'SIGKILL');
      const { state } = await server.until(job, (view) => !['waiting', 'running'].includes(view.state));
      expect(['cancelled', 'failed', 'ok'], `after ${delay} ms`).to.include(state);
    }
    server.limit();
    expect(await server.json('run', 'site2')).to.include({ status: 'ok' });
    expect(await server.json('verify')).to.include({ status: 'ok' });
    expect((await jobs({ live: true }, server.context)).jobs).to.deep.equal([]);
  });

  it('is also what is done in a terminal: others see it, and stop it', async () => {
    server.makeSlow();
    const terminal = server.program(['run', 'site1', '--json']);
    let live: JobsResult;
    do live = await jobs({ live: true }, server.context);
    while (live.jobs[0]?.state !== 'running');
    expect(live.jobs).to.have.length(1);
    const { cancelling } = await server.json<JobView>('cancel', live.jobs[0]!.job);
    expect(cancelling).to.equal(true);
    const { stdout, exitCode } = await terminal;
    expect(exitCode).to.equal(1);
    expect(jsonLines(stdout)[0]).to.have.nested.property('error.code', 'cancelled');
    expect(await server.until(live.jobs[0]!.job, () => true)).to.include({ state: 'cancelled' });
  });

  it('leaves the session free that waits for it: other requests are answered meanwhile', async () => {
    server.makeSlow();
    const session = server.program(['rpc']);
    const ask = (id: number, method: string, params: object = {}) =>
      session.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    ask(1, 'run', { units: ['site1'] });
    ask(2, 'version');
    const answers: Record<string, unknown>[] = [];
    for await (const line of session.iterable()) {
      const message = JSON.parse(line) as Record<string, unknown>;
      if (!('id' in message)) continue;
      answers.push(message);
      if (message.id === 2) ask(3, 'jobs', { live: true });
      if (message.id === 3) ask(4, 'cancel', { job: (message.result as JobsResult).jobs[0]!.job });
      if (message.id === 1) session.stdin?.end();
    }
    expect(answers.map(({ id }) => id)).to.deep.equal([2, 3, 4, 1]);
    expect(answers.at(-1)).to.have.nested.property('error.data.code', 'cancelled');
  });

  it('that is not known, or is named by a path, is told the same way', async () => {
    for (const id of ['20261126T000000000Z-00000000', '../records']) {
      const { error } = await server.json<{ error: WireError }>('job', id);
      expect(error.code).to.equal(id.startsWith('2') ? 'job_unknown' : 'usage');
    }
  });

  it('of a night that is not due leaves no record', async () => {
    const before = (await jobs({}, server.context)).jobs.length;
    expect(await server.json('nightly')).to.include({ due: false });
    expect((await jobs({}, server.context)).jobs).to.have.length(before);
  });

  const start = (method: 'run' | 'download', request: object) => startJob({ method, request }, server.context, METHODS, undefined);

  /** A download through a FIFO whose turn has not come: `before` works. */
  const waitingDownload = async () => {
    server.makeSlow();
    const fifo = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const before = await start('run', { units: ['site1'], policy: 'owner' });
    await server.until(before.job, ({ state }) => state === 'running');
    const { job } = await start('download', { unit: 'site1', policy: 'owner', fifo });
    return { fifo, before, job };
  };

  it('that is stopped before its turn came dismisses the reader of its archive', async () => {
    const { fifo, before, job } = await waitingDownload();
    await cancel({ job }, server.context);
    expect(await server.until(job, ({ ended }) => ended !== null)).to.include({ state: 'cancelled', begun: null });
    expect(existsSync(fifo)).to.equal(false);
    await cancel({ job: before.job }, server.context);
    await server.until(before.job, ({ ended }) => ended !== null);
  });

  it('that is killed before its turn came leaves no reader of its archive behind: the next job sends that one away', async () => {
    const { fifo, before, job } = await waitingDownload();
    const abandoned = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', abandoned]);
    utimesSync(abandoned, 0, Date.now() / 1000 - 3 * 86_400);
    while (liveTicket(server.stateDirectory, job)?.isHeld !== true) await pause(10);
    const waiting = server.processes().filter((pid) => argumentsOf(pid).some((argument) => argument.endsWith(job)));
    for (const pid of waiting) process.kill(pid, 'SIGKILL');
    await server.until(job, ({ state }) => state === 'failed');
    // The service of the night has a /tmp of its own, and cannot know.
    await server.json('nightly');
    expect([existsSync(fifo), existsSync(join(ticketsFolder(server.stateDirectory), job))]).to.deep.equal([true, true]);
    const next = await start('run', { units: ['site2'] });
    // And what the panel made, and was killed before it asked for a job.
    for (const gone of [fifo, abandoned]) while (existsSync(gone)) await pause(10);
    for (const { job } of [before, next]) {
      await cancel({ job }, server.context);
      await server.until(job, ({ ended }) => ended !== null);
    }
  });

  it('that cannot be done is refused before there is a job', async () => {
    const cases: [string[], string][] = [
      [['restore', 'site2', '--dry-run', '--background'], 'usage'],
      [['verify', '--identity', '-', '--background'], 'usage'],
    ];
    const before = (await jobs({}, server.context)).jobs.length;
    for (const [args, code] of cases) {
      const answer = await server.json<{ error: WireError }>(...args);
      expect(answer, args.join(' ')).to.have.nested.property('error.code', code);
    }
    expect((await jobs({}, server.context)).jobs).to.have.length(before);
  });
});
