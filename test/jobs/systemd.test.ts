import { totalmem } from 'node:os';
import { expect } from 'chai';
import type { StartResult } from '../../core/schemas/jobs.ts';
import { jsonLines, MAIN } from '../program.ts';
import { JobServer } from './server.ts';
import { SystemdMachine } from './systemd-machine.ts';

const unitOf = (job: string): string => `apiscp-backup-job-${job.toLowerCase()}.service`;
const hasEnded = ({ ended }: { readonly ended: string | null }): boolean => ended !== null;

describe('a job where systemd runs', function () {
  this.timeout(60_000);
  let server: JobServer;
  let machine: SystemdMachine;

  before(async function () {
    server = new JobServer();
    await server.program(['init']);
    const booted = await SystemdMachine.boot(server.folder);
    if (typeof booted === 'string') {
      console.log(`    not tried: ${booted}`);
      return this.skip();
    }
    machine = booted;
  });
  afterEach(() => server.limit());
  after(async () => {
    await machine?.end();
    server.remove();
  });

  const program = (...words: string[]): string[] => [process.execPath, MAIN, '--config', server.settingsFile, '--json', ...words];
  const newest = async (): Promise<string> => (await server.json<{ jobs: { job: string }[] }>('jobs')).jobs[0]?.job ?? '';
  const start = async (...words: string[]): Promise<StartResult> => {
    const { stdout } = await machine.run(...program(...words, '--background'));
    return jsonLines(stdout)[0] as unknown as StartResult;
  };

  it('is a unit of its own, with its limits, and stops at a safe point when that is stopped', async () => {
    server.makeSlow();
    const { job, place } = await start('run', 'site1');
    expect(place).to.equal('unit');
    await server.until(job, ({ progress }) => progress !== null);
    const unit = unitOf(job);
    const expected = {
      ...{ ActiveState: 'active', ControlGroup: `/system.slice/${unit}`, Nice: '10', IOWeight: '20', LimitFSIZE: 'infinity' },
      ...{ OOMScoreAdjust: '0', OOMPolicy: 'continue', KillMode: 'mixed' },
    };
    const { MemoryMax, ...found } = await machine.show(unit, 'MemoryMax', ...Object.keys(expected));
    expect(found).to.deep.equal(expected);
    // Half of the memory, in whole pages; the kernel has what systemd says.
    expect(Number(MemoryMax)).to.be.closeTo(totalmem() / 2, 65_536);
    expect(machine.memoryLimit(unit) ?? Number(MemoryMax)).to.be.closeTo(Number(MemoryMax), 65_536);
    expect((await machine.run('systemctl', 'stop', unit)).exitCode).to.equal(0);
    expect(await server.until(job, hasEnded)).to.include({ state: 'cancelled' });
    server.limit();
    const next = await start('run', 'site2');
    expect(await server.until(next.job, hasEnded)).to.include({ state: 'ok' });
  });

  it('outlives a restart of the service that asked for it', async () => {
    server.makeSlow();
    const asking = [...program('run', 'site1', '--background'), '&&', 'exec', 'sleep', '1000'].join(' ');
    await machine.write('/run/systemd/system/panel.service', `[Service]\nExecStart=/bin/sh -c '${asking}'\nTimeoutStopSec=5\n`);
    const before = await newest();
    await machine.run('systemctl', 'start', 'panel');
    const job = await server.nextJob(before);
    await server.until(job, ({ progress }) => progress !== null);
    await machine.write('/run/systemd/system/panel.service', '[Service]\nExecStart=/bin/sleep 1000\nTimeoutStopSec=5\n');
    expect((await machine.run('systemctl', 'restart', 'panel')).exitCode).to.equal(0);
    expect(await server.until(job, () => true)).to.include({ state: 'running' });
    server.limit();
    await machine.run('systemctl', 'stop', 'panel', unitOf(job));
    await server.until(job, hasEnded);
  });

  it('that takes more memory than it may has failed, and says so', async function () {
    server.makeSlow();
    const { job: first } = await start('run', 'site1');
    // What an administrator may set for all jobs.
    await machine.write('/run/systemd/system/apiscp-backup-job-.service.d/90-memory.conf', '[Service]\nMemoryMax=300M\n');
    const { job } = await start('run', 'site2');
    const unit = unitOf(job);
    if (machine.memoryLimit(unit) === undefined) return this.skip();
    // By then it has set how much the kernel is to spare it.
    await server.untilLogged(job, 'waiting');
    await machine.takeMemory(unit);
    const { state, error } = await server.until(job, hasEnded);
    expect([state, error?.code]).to.deep.equal(['failed', 'job_lost']);
    expect(error?.message).to.contain('it took more memory than a job may have');
    await machine.run('systemctl', 'kill', '--signal=SIGKILL', unitOf(first));
  });

  it('that is killed has failed in the same moment, and says by what', async () => {
    server.makeSlow();
    const { job } = await start('run', 'site1');
    await server.until(job, ({ progress }) => progress !== null);
    await machine.run('systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', unitOf(job));
    expect((await server.until(job, ({ state }) => state === 'failed')).error?.code).to.equal('job_lost');
    const { error } = await server.until(job, hasEnded);
    expect(error?.message).to.contain('it was killed (SIGKILL)');
  });
});
