import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  globSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { download } from '../../core/commands/download.ts';
import type { DownloadRequest, DownloadResult } from '../../core/schemas/download.ts';
import { removeExpired } from '../../core/targets/download/expiry.ts';
import { fifoAt } from '../../core/targets/download/fifo-sink.ts';
import { failureOf } from '../failure-of.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { MAIN } from '../program.ts';
import { validateDownloadResult } from './results.generated.js';
import { Sandbox } from './sandbox.ts';

const [OWNER, GROUP] = [2001, 2000];

describe('download', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let first: string;
  let number = 0;

  before(async () => {
    sandbox = new Sandbox();
    const home = join(sandbox.shadow, 'home/admin1');
    mkdirSync(join(home, 'mail'), { recursive: true });
    writeFileSync(join(home, 'large'), randomBytes(5 * 1024 * 1024 + 17));
    writeFileSync(join(home, 'empty'), '');
    writeFileSync(join(home, 'mail/one'), 'one');
    linkSync(join(home, 'mail/one'), join(home, 'mail/other-name'));
    symlinkSync('../large', join(home, 'mail/link'));
    writeFileSync(Buffer.from(join(home, 'not-utf8-\xe4'), 'latin1'), 'x');
    writeFileSync(join(home, 'n'.repeat(150)), 'long name');
    const sparse = openSync(join(home, 'sparse'), 'w');
    writeSync(sparse, 'end', 3 * 1024 * 1024);
    ftruncateSync(sparse, 8 * 1024 * 1024);
    closeSync(sparse);
    writeFileSync(join(home, 'setuid'), 'x');
    execFileSync('chown', ['-R', `${OWNER}:${GROUP}`, home]);
    chmodSync(join(home, 'setuid'), 0o4755);
    execFileSync('setfacl', ['-m', 'u:48:rwx,d:u:48:rx', join(home, 'mail')]);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(home, 'large')]);
    execFileSync('setfattr', ['-n', 'trusted.note', '-v', 'of root', join(home, 'large')]);
    mkdirSync(join(sandbox.shadow, 'etc'));
    writeFileSync(join(sandbox.shadow, 'etc/shadow'), 'secret', { mode: 0o600 });
    execFileSync('mknod', [join(sandbox.shadow, 'home/whiteout'), 'c', '0', '0']);
    await sandbox.init();
    first = (await sandbox.back('full')).snapshot as string;
    appendFileSync(join(home, 'large'), 'more');
    writeFileSync(join(home, 'mail/two'), 'two');
    await sandbox.back('incremental');
  });
  after(() => sandbox.remove());

  const ask = (request: Omit<DownloadRequest, 'unit'>) => download({ unit: 'site1', ...request }, sandbox.context);
  const folder = () => join(sandbox.folder, `archives-${++number}`);

  /** What GNU tar makes of an archive, or how it complains. */
  function extract(archive: string, expected = 0): string {
    const to = join(sandbox.folder, `extracted-${++number}`);
    mkdirSync(to);
    const script = 'set -o pipefail; zstd -dc "$1" | tar -x --xattrs --xattrs-include="*" --acls --numeric-owner -p -C "$2"';
    const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', archive, to], { encoding: 'utf8' });
    if (expected === 0) expect(status, stderr).to.equal(0);
    else expect(status).not.to.equal(0);
    return to;
  }

  it('is an archive from which zstd and tar bring everything back as it was', async () => {
    const to = folder();
    const result: DownloadResult = await ask({ to });
    expect(validateDownloadResult(result), JSON.stringify(result)).to.equal(true);
    expect(result.status).to.equal('ok');
    const file = result.file as string;
    expect(statSync(file).mode & 0o7777).to.equal(0o600);
    expect(statSync(file).size).to.equal(result.bytes);
    const extracted = extract(file);
    for (const root of ['shadow', 'info']) {
      expect(await compareTrees(join(sandbox.site, root), join(extracted, root))).to.deep.equal([]);
    }
  });

  it('has the paths that are named, as they were at the time that is named', async () => {
    const to = folder();
    const { file, entries } = await ask({ to, at: first, paths: ['shadow/home/admin1/mail', 'shadow/home/admin1/mail/one', 'info'] });
    expect(entries).to.be.greaterThan(4);
    const extracted = extract(file as string);
    expect(readdirSync(extracted)).to.have.members(['info', 'shadow']);
    expect(readdirSync(join(extracted, 'shadow/home/admin1'))).to.deep.equal(['mail']);
    expect(readdirSync(join(extracted, 'shadow/home/admin1/mail'))).to.have.members(['one', 'other-name', 'link']);
    expect((await failureOf(() => ask({ to, paths: ['shadow/nowhere'] }))).code).to.equal('path_unknown');
    expect((await failureOf(() => ask({ to: 'relative' }))).code).to.equal('usage');
    expect((await failureOf(() => ask({}))).code).to.equal('usage');
    expect(readdirSync(to)).to.have.length(1);
  });

  it('gives an owner what the owner may have, in a private folder of the account (case 44)', async () => {
    const to = join(sandbox.shadow, 'home/admin1/downloads');
    const { file } = await ask({ policy: 'owner', to });
    expect(statSync(to)).to.include({ uid: OWNER });
    expect(statSync(file as string)).to.include({ uid: OWNER, gid: GROUP });
    expect(statSync(file as string).mode & 0o777).to.equal(0o600);
    const extracted = extract(file as string);
    expect(readdirSync(extracted)).to.deep.equal(['shadow']);
    expect(existsSync(join(extracted, 'shadow/etc'))).to.equal(false);
    const home = join(extracted, 'shadow/home/admin1');
    expect(statSync(join(home, 'setuid')).mode & 0o7777).to.equal(0o755);
    expect(execFileSync('getfattr', ['-dm-', '--absolute-names', join(home, 'large')], { encoding: 'utf8' }))
      .to.contain('user.note')
      .and.not.to.contain('trusted');
    expect(execFileSync('getfacl', ['-pn', join(home, 'mail')], { encoding: 'utf8' })).to.contain('user:48:rwx');
    for (const paths of [['info'], ['shadow/etc/shadow']]) {
      expect((await failureOf(() => ask({ policy: 'owner', to, paths }))).code).to.equal('owner_not_allowed');
    }
    for (const elsewhere of [sandbox.folder, join(sandbox.shadow, 'etc'), join(sandbox.shadow, '../../site1x')]) {
      expect((await failureOf(() => ask({ policy: 'owner', to: elsewhere }))).code).to.equal('owner_not_allowed');
    }
    const full = await failureOf(() => ask({ policy: 'owner', to, room: 1024 * 1024 }));
    expect(full.code).to.equal('disk_full');
    expect(readdirSync(to)).to.have.length(1);
  });

  it('is a file whose name nobody can guess, and which goes when its time is over', async () => {
    const to = folder();
    const [one, other] = [await ask({ to, paths: ['info'] }), await ask({ to, paths: ['info'] })];
    expect(one.file)
      .to.match(/-[0-9a-f]{32}\.tar\.zst$/)
      .and.not.to.equal(other.file);
    writeFileSync(join(to, 'mine'), 'stays');
    removeExpired(sandbox.context.settings, Date.now() + 24 * 3_600_000);
    expect(readdirSync(to)).to.have.length(3);
    removeExpired(sandbox.context.settings, Date.parse(one.expires as string) + 3_600_000);
    expect(readdirSync(to)).to.deep.equal(['mine']);
    expect(readdirSync(join(sandbox.stateDirectory, 'downloads'))).to.deep.equal([]);
  });

  it('goes to the first reader of a FIFO, which is gone then', async () => {
    const fifo = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const copy = join(sandbox.folder, 'from-fifo');
    const reader = spawn('cp', [fifo, copy]);
    const ended = new Promise((resolve) => reader.on('close', resolve));
    const { file, status, bytes } = await ask({ policy: 'owner', fifo });
    expect({ file, status }).to.deep.equal({ file: null, status: 'ok' });
    expect(await ended).to.equal(0);
    expect(existsSync(fifo)).to.equal(false);
    expect(statSync(copy).size).to.equal(bytes);
    extract(copy);

    writeFileSync(fifo, '', { mode: 0o600 });
    const foreign = `/tmp/id-site2-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', foreign]);
    for (const wrong of [fifo, foreign, join(sandbox.folder, 'x')]) {
      expect((await failureOf(() => ask({ policy: 'owner', fifo: wrong }))).code, wrong).to.equal('unsafe_path');
    }
    execFileSync('rm', [fifo, foreign]);
  });

  it('that fails before its reader is looked for does not leave that one waiting', async () => {
    const fifo = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const reader = spawn('sh', ['-c', 'exec zstd -t <"$1"', 'sh', fifo], { stdio: 'ignore' });
    const ended = new Promise((resolve) => reader.on('close', resolve));
    // Long enough to stand in the opening of it, as a reader of the panel does.
    await pause(300);
    expect((await failureOf(() => ask({ policy: 'owner', fifo, paths: ['shadow/not there'] }))).code).to.equal('path_unknown');
    expect(await ended, 'an archive that is none').not.to.equal(0);
    expect(existsSync(fifo)).to.equal(false);
    // What is nobody's to take away stays.
    writeFileSync(fifo, '', { mode: 0o600 });
    await failureOf(() => ask({ policy: 'owner', fifo, paths: ['shadow/not there'] }));
    expect(existsSync(fifo)).to.equal(true);
    execFileSync('rm', [fifo]);
  });

  it('does not wait for ever for a reader who takes a byte now and then', async () => {
    const fifo = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const slow = spawn('sh', ['-c', 'while dd bs=1000 count=1 of=/dev/null status=none; do sleep 0.02; done <"$1"', 'sh', fifo]);
    const patience = { toCome: 60_000, toTake: 300, bytes: 1024 * 1024, inAll: 60_000 };
    const { write, abandon } = await fifoAt(fifo, 'site1', AbortSignal.timeout(30_000), patience);
    const failure = await failureOf(() => write(Buffer.alloc(64 * 1024 * 1024)));
    expect(failure).to.include({ code: 'io_error' }).and.to.have.property('message').that.contains('too slowly');
    await abandon();
    slow.kill();
  });

  it('has an end also for a reader who takes just enough each time', async () => {
    const fifo = `/tmp/id-site1-${randomBytes(16).toString('hex')}`;
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const slow = spawn('sh', ['-c', 'while dd bs=65536 count=1 of=/dev/null status=none; do sleep 0.02; done <"$1"', 'sh', fifo]);
    const patience = { toCome: 60_000, toTake: 60_000, bytes: 4096, inAll: 300 };
    const { write, abandon } = await fifoAt(fifo, 'site1', AbortSignal.timeout(30_000), patience);
    expect(await failureOf(() => write(Buffer.alloc(256 * 1024 * 1024)))).to.include({ code: 'io_error' });
    await abandon();
    slow.kill();
  });

  it('that is stopped between two entries is no whole archive for its reader', async () => {
    const parts: Buffer[] = [];
    const stopped = new AbortController();
    const archiveOutput = {
      write: async (bytes: Buffer) => void parts.push(Buffer.from(bytes)),
      finish: async () => {},
      abandon: async () => {},
    };
    const reporter = { log: () => {}, progress: ({ entries }: { entries: number }) => void (entries === 4 && stopped.abort()) };
    const context = { ...sandbox.context, archiveOutput, reporter, signal: stopped.signal };
    expect((await failureOf(() => download({ unit: 'site1' }, context))).code).to.equal('cancelled');
    expect(spawnSync('zstd', ['-dc'], { input: Buffer.concat(parts) }).status).to.not.equal(0);
  });

  it('goes to standard output, where a reader of a broken one notices, and nothing else is written', async () => {
    const program = (...args: string[]) =>
      spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', MAIN, '--config', sandbox.settingsFile, '--json', 'download', ...args],
        { maxBuffer: 64 * 1024 * 1024 },
      );
    const whole = program('site1');
    expect(whole.status, String(whole.stderr)).to.equal(0);
    const archive = join(sandbox.folder, 'from-stdout');
    writeFileSync(archive, whole.stdout);
    expect(existsSync(join(extract(archive), 'shadow/home/admin1/mail/two'))).to.equal(true);
    expect(JSON.parse(String(whole.stderr).trim().split('\n').at(-1) as string)).to.include({ status: 'ok', file: null });

    // One byte of the large file in its pack.
    const pack = sandbox.objects('packs').sort((a, b) => statSync(b).size - statSync(a).size)[0] as string;
    const bytes = readFileSync(pack);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 0x55;
    chmodSync(pack, 0o600);
    writeFileSync(pack, bytes);
    const broken = program('site1');
    expect(broken.status).to.equal(5);
    expect(String(broken.stderr)).to.contain('repository_damaged');
    writeFileSync(archive, broken.stdout);
    extract(archive, 1);
    const to = folder();
    expect(['repository_damaged', 'digest_mismatch']).to.include((await failureOf(() => ask({ to }))).code);
    expect(readdirSync(to)).to.deep.equal([]);
    expect(globSync(join(sandbox.stateDirectory, 'downloads/*'))).to.have.length(0);
  });
});
