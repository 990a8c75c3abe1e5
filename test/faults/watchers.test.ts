import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { LsResult } from '../../core/schemas/ls.ts';
import { TestServer } from '../end-to-end/test-server.ts';

const MEBIBYTE = 1024 * 1024;

describe('a backup and whoever watches it', function () {
  this.timeout(120_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    mkdirSync(server.shadow);
    writeFileSync(join(server.shadow, 'file'), randomBytes(6 * MEBIBYTE));
    expect((await server.init()).exitCode).to.equal(0);
  });

  afterEach(() => server.remove());

  async function expectBackup(): Promise<void> {
    expect(await server.snapshots()).to.have.length(1);
    expect((await server.verify()).result).to.include({ status: 'ok' });
  }

  it('goes on when nobody reads its progress any more', async () => {
    const program = server.start(['run', 'site1']);
    program.stderr.destroy();
    const { exitCode, signal } = await program;
    expect({ exitCode, signal }).to.deep.equal({ exitCode: 0, signal: undefined });
    await expectBackup();
  });

  it('ends as it ended when nobody reads its answer', async () => {
    const program = server.start(['run', 'site1']);
    program.stdout.destroy();
    expect((await program).exitCode).to.equal(0);
    await expectBackup();
  });

  it('stops at a safe point when it is hung up, and the next one goes on', async () => {
    const program = server.start(['run', 'site1']);
    program.stderr.once('data', () => program.kill('SIGHUP'));
    const { exitCode, signal } = await program;
    expect({ exitCode, signal }).to.deep.equal({ exitCode: 129, signal: undefined });
    await server.backUp();
    await expectBackup();
  });

  it('is no success where its answer cannot be written, and says so', async () => {
    for (const args of [['run', 'site1'], ['list']]) {
      const { exitCode, stderr } = await server.start(args, ['bash', '-c', 'exec "$@" > /dev/full', 'bash']);
      expect(exitCode, args.join(' ')).to.equal(1);
      expect(stderr).to.include('the answer could not be written');
    }
    await expectBackup();
  });

  it('writes a long answer to its end, however slowly it is read', async () => {
    for (let entry = 0; entry < 2000; entry++) writeFileSync(join(server.shadow, `${entry}-${'long name '.repeat(20)}`), '');
    await server.backUp();
    const program = server.start(['ls', 'site1', '--limit', '10000', 'shadow']);
    program.stdout.pause();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    program.stdout.resume();
    const { stdout, exitCode } = await program;
    expect(exitCode).to.equal(0);
    expect(stdout.length).to.be.greaterThan(4 * 65536);
    expect((JSON.parse(stdout) as LsResult).entries).to.have.length(2001);
  });

  it('works in a folder that has been deleted, and so does a restore with threads', async () => {
    for (let file = 0; file < 20; file++) writeFileSync(join(server.shadow, `file-${file}`), Buffer.alloc(1.8 * MEBIBYTE, `${file} `));
    const folder = join(server.folder, 'gone');
    const inGoneFolder = ['bash', '-c', `mkdir ${folder}; cd ${folder}; rmdir ${folder}; exec "$@"`, 'bash'];
    expect((await server.run(['site1'], inGoneFolder)).result).to.include({ status: 'ok' });
    const to = join(server.folder, 'restored');
    expect((await server.start(['restore', 'site1', '--to', to], inGoneFolder)).exitCode).to.equal(0);
    expect(existsSync(join(to, 'shadow/file-19'))).to.equal(true);
    await expectBackup();
  });
});

/** From too few for Node itself to enough for all. */
const THREADS = process.env.SLOW === '1' ? Array.from({ length: 22 }, (_, more) => 9 + more) : [9, 13, 14, 17, 30];

/** Unused where a machine has no such group. */
const PIDS = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((folder) => existsSync(join(folder, 'cgroup.procs')));

describe('a backup within the limits of the system', function () {
  this.timeout(300_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    mkdirSync(server.shadow);
    expect((await server.init()).exitCode).to.equal(0);
  });

  afterEach(() => server.remove());

  it('keeps an account of many folders, and gives it back, with few descriptors', async () => {
    server.limit({ workers: 4 });
    for (let folder = 0; folder < 400; folder++) {
      mkdirSync(join(server.shadow, `folder-${folder}/below/it`), { recursive: true });
      writeFileSync(join(server.shadow, `folder-${folder}/below/it/file`), `${folder}`);
    }
    const few = ['prlimit', '--nofile=220:220'];
    const { result, exitCode } = await server.run(['site1'], few);
    expect(result.units[0]).to.include({ status: 'ok', warningCount: 0 });
    expect(exitCode).to.equal(0);
    expect((await server.start(['restore', 'site1', '--to', join(server.folder, 'restored')], few)).exitCode).to.equal(0);
    await server.expectPerfectRun();
  });

  it('fails with a reason where a file may not become as large as it must, and works when it may', async () => {
    writeFileSync(join(server.shadow, 'file'), randomBytes(3 * MEBIBYTE));
    const { exitCode, result } = await server.run(['site1'], ['prlimit', `--fsize=${MEBIBYTE}`]);
    expect(exitCode).to.equal(1);
    expect(result.units[0]?.error?.message).to.include('EFBIG');
    await server.expectPerfectRun();
  });

  it('ends, and with 0 only when there is a backup, however few threads there may be', async function () {
    if (PIDS === undefined) return this.skip();
    const group = join(PIDS, `apiscp-backup-test-${process.pid}`);
    try {
      mkdirSync(group);
      if (!existsSync(join(group, 'pids.max'))) throw new Error('the group does not limit processes');
    } catch {
      if (existsSync(group)) rmdirSync(group);
      this.skip();
    }
    writeFileSync(join(server.shadow, 'file'), 'content');
    server.limit({ workers: 4 });
    try {
      for (const most of THREADS) {
        writeFileSync(join(group, 'pids.max'), `${most}`);
        const before = (await server.snapshots()).length;
        const within = ['bash', '-c', `echo $$ > ${group}/cgroup.procs; exec timeout -s KILL 60 "$@"`, 'bash'];
        const { exitCode } = await server.start(['run', 'site1', '--level', 'full'], within);
        expect(exitCode, `at most ${most}`).not.to.equal(137);
        expect((await server.snapshots()).length - before === 1, `at most ${most}: exit ${exitCode}`).to.equal(exitCode === 0);
      }
    } finally {
      await execa('sleep', ['0.2']);
      rmdirSync(group);
    }
    await server.expectPerfectRun();
  });
});
