import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { RunResult } from '../../core/schemas/run.ts';
import { threadPriorities } from '../linux/thread-priorities.ts';
import { childrenOf } from '../processes.ts';
import { answerOf, type StartedProgram, TestServer, until } from './test-server.ts';

const MEBIBYTE = 1024 * 1024;
const STOPPED_BY_SIGTERM = 143;

/** How many threads of ours, not of Node's own, a process has. */
function workersOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const names = readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8'));
  return names.filter((name) => name === 'WorkerThread\n').length;
}

/** The process that backs up for one; undefined while there is none. */
function workingFor({ pid }: StartedProgram): number | undefined {
  return childrenOf(pid)[0];
}

describe('limits', function () {
  this.timeout(120_000);
  let server: TestServer;
  let usual: string[];
  const started: StartedProgram[] = [];

  beforeEach(async () => {
    server = new TestServer();
    mkdirSync(server.shadow, { recursive: true });
    writeFileSync(join(server.shadow, 'large'), randomBytes(20 * MEBIBYTE));
    await server.init();
    usual = await prioritiesOf(process.pid);
  });
  afterEach(async () => {
    for (const program of started.splice(0)) program.kill('SIGKILL');
    await server.remove();
  });

  function start(args: readonly string[], prefix?: readonly string[]): StartedProgram {
    const program = server.start(args, prefix);
    started.push(program);
    return program;
  }

  /** The priorities of all threads, each once. */
  async function prioritiesOf(pid: number | undefined): Promise<string[]> {
    return [...new Set(await threadPriorities(pid as number))];
  }

  /** Stops a run, which must say so, and leave nothing that counts. */
  async function stop(program: StartedProgram): Promise<void> {
    program.kill('SIGTERM');
    const { exitCode, error } = answerOf<RunResult>(await program);
    expect(exitCode).to.equal(STOPPED_BY_SIGTERM);
    expect(error).to.include({ code: 'cancelled' });
    expect(await server.snapshots()).to.deep.equal([]);
    expect(server.objects('.tar.zst')).to.deep.equal([]);
  }

  it('give every thread of a backup a low priority, and end with it when it is stopped', async () => {
    // Five minutes for the large file, and a little more than the first second gives.
    server.limit({ workers: 2, readRate: '64 KiB/s' });
    for (let file = 0; file < 30; file++) writeFileSync(join(server.shadow, `small-${file}`), randomBytes(MEBIBYTE));
    const program = start(['run', 'site1']);
    await until(() => workersOf(workingFor(program)) === 2, program);
    expect(await prioritiesOf(workingFor(program))).to.deep.equal(['10 best-effort: prio 7']);
    await stop(program);
  });

  it('give the priority that is set, and no higher one than the program was started with', async () => {
    server.limit({ workers: 1, readRate: '64 KiB/s', nice: 5, ioClass: 'idle' });
    const program = start(['run', 'site1'], ['nice', '-n', '12']);
    await until(() => workersOf(workingFor(program)) === 1, program);
    expect(await prioritiesOf(workingFor(program))).to.deep.equal(['12 idle']);
    await stop(program);
  });

  it('are over for a session when the backup is', async () => {
    const session = start(['rpc']);
    for (const method of ['run', 'verify', 'prune']) {
      session.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: method, method, params: {} })}\n`);
    }
    for await (const line of createInterface(session.stdout)) {
      const { id, result } = JSON.parse(line);
      if (id !== undefined) expect(result, line).to.have.property('status', 'ok');
      if (id === 'prune') break;
    }
    expect(await prioritiesOf(session.pid)).to.deep.equal(usual);
  });

  it('do not hold a restore back', async () => {
    for (let file = 0; file < 2900; file++) writeFileSync(join(server.shadow, `small-${file}`), randomBytes(1000));
    await server.backUp();
    server.limit({ workers: 2, nice: 19, ioClass: 'idle', readRate: '1 KiB/s', sendRate: '1 KiB/s', load: 0.0001 });
    let seen: string[] | undefined;
    // On a busy machine a restore can be over before anybody looks at it.
    for (let attempt = 0; seen === undefined; attempt++) {
      const target = join(server.folder, `restored-${attempt}`);
      const program = start(['restore', 'site1', '--to', target]);
      seen = await prioritiesWhileRestoring(program, target);
      expect(answerOf(await program)).to.have.property('exitCode', 0);
    }
    expect(seen).to.deep.equal(usual);
  });

  /** Stops a restore when it has written something, and looks at it. Undefined when it was over before. */
  async function prioritiesWhileRestoring(program: StartedProgram, target: string): Promise<string[] | undefined> {
    let hasEnded = false;
    void program.then(() => {
      hasEnded = true;
    });
    // What is being written comes and goes in a folder of the program's.
    const shadow = join(target, 'shadow');
    while (!existsSync(shadow) || readdirSync(shadow).length === 0) {
      if (hasEnded) return undefined;
      await pause(2);
    }
    program.kill('SIGSTOP');
    try {
      return await prioritiesOf(program.pid);
    } catch {
      // It ended in between.
      return undefined;
    } finally {
      program.kill('SIGCONT');
    }
  }

  it('end with the run that waits to write into the repository', async () => {
    server.limit({ workers: 2, sendRate: '64 KiB/s' });
    const before = server.storedBytes();
    const program = start(['run', 'site1']);
    await until(() => server.storedBytes() > before + 1024, program);
    await stop(program);
  });

  it('have a backup pause while the load is too high, which ends with it', async () => {
    // A machine that did nothing for minutes has no load at all.
    while (loadavg()[0] === 0) randomBytes(MEBIBYTE);
    server.limit({ workers: 2, load: 0.0001 });
    const program = start(['run', 'site1']);
    let told = '';
    program.stderr.on('data', (chunk) => {
      told += chunk;
    });
    await until(() => told.includes('site1 paused'), program);
    expect(told).to.match(/info: the load is [\d.]+, above 0\.0001: the backup pauses\n/);
    expect(await prioritiesOf(workingFor(program))).to.deep.equal(['10 best-effort: prio 7']);
    expect(workersOf(workingFor(program))).to.equal(0);
    expect(server.objects('unit.json')).to.deep.equal([]);
    await stop(program);
  });

  it('do not change what is backed up', async () => {
    server.limit({ workers: 3, nice: 19, ioClass: 'idle', readRate: '1 GiB/s', sendRate: '1 GiB/s', load: 100_000 });
    await server.expectPerfectRun();
  });
});
