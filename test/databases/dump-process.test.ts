import { closeSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import type { ChildEnd, Command } from '../../core/databases/child.ts';
import { startDump } from '../../core/databases/dump-process.ts';
import { childrenOf, isAlive } from '../processes.ts';
import { ROOT } from '../program.ts';

const WATCH = { timeLimit: 20_000, signal: new AbortController().signal };
const SHOW = 'pwd; ls /proc/self/fd; env; grep -E "^(Uid|Gid|Groups|Sig(Blk|Ign)|CapEff|CapPrm):" /proc/self/status';

function shell(script: string, more: Partial<Command> = {}): Command {
  return { program: '/bin/sh', args: ['-c', script], as: undefined, ...more };
}

/** What a command writes, and how it ends. */
async function all(command: Command): Promise<ChildEnd & { readonly output: string }> {
  const dump = startDump(command, WATCH);
  // Not on this thread: as in a run, what the process says is heard meanwhile.
  const output = await readFile(`/proc/self/fd/${dump.descriptor}`, 'utf8');
  closeSync(dump.descriptor);
  return { ...(await dump.ended), output };
}

/** A process of Node's that starts a dump, says its number, and goes on with `after`. */
const PARENT = (dump: string, after: string) => `
  import { startDump } from '${ROOT}/core/databases/dump-process.ts';
  import { readFileSync } from 'node:fs';
  const watch = { timeLimit: 60_000, signal: new AbortController().signal };
  const dump = startDump({ program: '/bin/sh', args: ['-c', ${JSON.stringify(dump)}], as: undefined }, watch);
  console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
  ${after}
`;

describe('the process of a dump', function () {
  this.timeout(30_000);
  let others: readonly number[];
  const left = () => childrenOf(process.pid).filter((pid) => !others.includes(pid));

  before(() => {
    others = childrenOf(process.pid);
  });

  it('gets nothing but its streams, its variables and the signals as they are by default, in the folder /', async () => {
    // Node ignores SIGPIPE. Whoever starts the program may have left a descriptor open, and ignore a signal.
    const script = PARENT(SHOW, "process.stdout.write(readFileSync(dump.descriptor, 'utf8'));");
    const command = `trap '' HUP; exec 7</etc/passwd "$@"`;
    const { stdout } = await execa('bash', ['-c', command, 'bash', process.execPath, '--input-type=module', '-e', script]);
    const [, folder, ...lines] = stdout.split('\n').filter((line) => line !== '');
    expect(folder).to.equal('/');
    // The fourth is the folder that ls reads.
    expect(lines.slice(0, 4)).to.deep.equal(['0', '1', '2', '3']);
    expect(lines.filter((line) => line.includes('=')).map((line) => line.split('=')[0])).to.have.members(['PATH', 'LC_ALL', 'PWD']);
    expect(lines).to.include.members(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000']);
  });

  it('is another user altogether where the command says so', async () => {
    const { output, failure } = await all(shell(SHOW, { as: { uid: 65534, gid: 65534 }, environment: { PGDATABASE: 'größe' } }));
    expect(failure).to.equal(undefined);
    const ids = '65534\t65534\t65534\t65534';
    expect(output)
      .to.include(`Uid:\t${ids}\nGid:\t${ids}\n`)
      .and.to.match(/^Groups:\s*$/m);
    expect(output).to.include('CapPrm:\t0000000000000000\nCapEff:\t0000000000000000').and.to.include('PGDATABASE=größe\n');
  });

  it('shares memory until it is a program of its own: nothing of this process is copied', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    const [trace, script] = [join(folder, 'trace'), PARENT('true', 'await dump.ended;')];
    const traced = ['-f', '-qq', '-o', trace, '-e', 'trace=clone,clone3,fork,vfork', process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await execa('strace', traced);
    const lines = readFileSync(trace, 'utf8').split('\n');
    rmSync(folder, { recursive: true });
    const child = stdout.trim();
    const [start] = lines.filter((line) => new RegExp(`= ${child}$`).test(line));
    expect(start).to.match(/CLONE_VM\|CLONE_VFORK|vfork/);
  });

  it('tells how it ended and what it said, each of many its own, beside children that others started', async () => {
    const beside = execa('/bin/sh', ['-c', 'sleep 0.1; exit 5'], { reject: false });
    const ends = await Promise.all(
      Array.from({ length: 40 }, (_, code) => all(shell(`echo ${code}; echo said ${code} >&2; exit ${code}`))),
    );
    for (const [code, { output, failure, stderr }] of ends.entries()) {
      expect({ output, failure, stderr }).to.deep.equal({
        output: `${code}\n`,
        failure: code === 0 ? undefined : `it ended with exit code ${code}: said ${code}`,
        stderr: `said ${code}`,
      });
    }
    expect((await beside).exitCode).to.equal(5);
    expect((await all(shell('kill -SEGV $$'))).failure).to.equal('it was ended by SIGSEGV');
    expect((await all({ program: '/nowhere/mariadb-dump', args: [], as: undefined })).failure).to.match(/could not be started.*ENOENT/);
    // Much more than a pipe holds, of which the beginning is kept.
    const noisy = await all(shell('head -c 300000 /dev/zero | tr "\\0" x >&2; echo dump'));
    expect(noisy).to.include({ output: 'dump\n', failure: undefined });
    expect(noisy.stderr.length).to.be.within(1000, 10_000);
    expect(left(), 'nothing is left of any').to.deep.equal([]);
  });

  it('is ended when it takes too long, is not wanted any more, or never was', async () => {
    const late = startDump(shell('exec sleep 60'), { ...WATCH, timeLimit: 50 });
    expect((await late.ended).failure).to.equal('it was ended, because it took too long');
    const stopped = startDump(shell('echo partly done >&2; exec sleep 60'), WATCH);
    stopped.stop();
    expect((await stopped.ended).failure).to.equal('it was stopped');
    const controller = new AbortController();
    const cancelled = startDump(shell('exec sleep 60'), { ...WATCH, signal: controller.signal });
    controller.abort();
    expect((await cancelled.ended).failure).to.equal('it was stopped');
    const never = startDump(shell('exec sleep 60'), { ...WATCH, signal: controller.signal });
    expect((await never.ended).failure).to.equal('it was stopped');
    for (const { descriptor } of [late, stopped, cancelled, never]) {
      expect(readFileSync(descriptor, 'utf8'), 'the stream is over').to.equal('');
      closeSync(descriptor);
    }
    // What is over cannot be stopped: its number may be another's.
    const over = startDump(shell('exit 0'), WATCH);
    expect((await over.ended).failure).to.equal(undefined);
    over.stop();
    closeSync(over.descriptor);
    expect(left()).to.deep.equal([]);
  });

  it('is not waited for by what another process of it says later', async () => {
    const { failure, output } = await all(shell('sleep 20 >/dev/null & echo dump'));
    expect({ failure, output }).to.deep.equal({ failure: undefined, output: 'dump\n' });
  });

  it('goes with the process that started it: at its exit, or when it writes to nobody', async () => {
    const exits = await execa(process.execPath, ['--input-type=module', '-e', PARENT('exec sleep 60', 'process.exit(0);')]);
    const silent = Number(exits.stdout);
    const killed = await execa(
      process.execPath,
      ['--input-type=module', '-e', PARENT('exec yes', "process.kill(process.pid, 'SIGKILL');")],
      {
        reject: false,
      },
    );
    expect(killed.signal).to.equal('SIGKILL');
    const writing = Number(killed.stdout);
    expect(silent).to.be.greaterThan(0);
    expect(writing).to.be.greaterThan(0);
    for (let tries = 0; tries < 100 && (isAlive(silent) || isAlive(writing)); tries++) await sleep(20);
    expect([isAlive(silent), isAlive(writing)]).to.deep.equal([false, false]);
  });
});
