import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { nightlyWith } from '../../core/commands/nightly.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { run } from '../../core/commands/run.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';
import { backendConformance } from '../repository/conformance.ts';
import { BadNetwork } from './bad-network.ts';
import { programInStore } from './program.ts';
import { SshServer } from './ssh-server.ts';

function userInfoOf(name: string): { uid: number; gid: number } {
  const [, , uid, gid] = (
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`${name}:`)) ?? ''
  ).split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

describe('a repository on an SFTP server', function () {
  this.timeout(60_000);
  let server: SshServer;
  let folder: string;

  before(async () => {
    server = await SshServer.start();
  });
  after(() => server.stop());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sftp-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (changes: { knownHostsFile?: string; identityFile?: string } = {}): Promise<Backend> =>
    openStore({
      repository: `sftp:${server.user}@127.0.0.1:${server.port}:${folder}/a/b`,
      s3: {},
      rclone: {},
      sftp: { identityFile: server.identityFile, knownHostsFile: server.knownHostsFile, ...changes },
    });

  backendConformance(
    'SFTP',
    () => open(),
    async () => {},
  );

  it('refuses a host that shows another key than the known one', async () => {
    const file = join(folder, 'known_hosts');
    const other = 'AAAAC3NzaC1lZDI1NTE5AAAAIGtQr0TAXSbvBSRTzCDrYmkdqE4+DqQ8Uw0Vvyi8nD1r';
    writeFileSync(file, `[127.0.0.1]:${server.port} ssh-ed25519 ${other}\n`);
    const failure = await failureOf(async () => (await open({ knownHostsFile: file })).inspect());
    expect(failure).to.include({ code: 'repository_refused' });
    expect(failure.message).to.contain('another key');
  });

  it('refuses a host that nobody knows', async () => {
    const file = join(folder, 'known_hosts');
    writeFileSync(file, '');
    const failure = await failureOf(async () => (await open({ knownHostsFile: file })).inspect());
    expect(failure).to.include({ code: 'repository_refused' });
    expect(failure.message).to.contain('is not in');
  });

  it('says whether it can be written to, by trying, and leaves nothing; and what room there is', async () => {
    const backend = await open();
    await backend.prepare();
    const writer = await backend.create('servers/s/a');
    await writer.commit();
    await backend.tryWriting?.('servers/s');
    const incoming = join(folder, 'a/b/servers/s/.incoming');
    expect(readdirSync(incoming)).to.deep.equal([]);
    // Where nothing may be deleted one stays, however often it is tried.
    execaSync('chattr', ['+a', incoming]);
    try {
      for (let time = 0; time < 2; time++) await backend.tryWriting?.('servers/s');
      expect(readdirSync(incoming)).to.have.length(1);
    } finally {
      execaSync('chattr', ['-a', incoming]);
    }
    const { free = 0, size = 0 } = (await backend.space?.()) ?? {};
    expect(free).to.be.above(0).and.at.most(size);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'shut', incoming]);
    try {
      expect((await failureOf(async () => backend.tryWriting?.('servers/s'))).code).to.match(
        /^repository_(refused|unreachable)$|^io_error$/,
      );
    } finally {
      execaSync('umount', [incoming]);
    }
  });

  it('sends each byte that is read once, over a long way too, and as much at a time as fills it', async () => {
    const network = await BadNetwork.start(server.port, 20);
    const knownHostsFile = join(folder, 'known_hosts');
    writeFileSync(knownHostsFile, readFileSync(server.knownHostsFile, 'utf8').replace(`:${server.port}`, `:${network.port}`));
    try {
      const near = await open();
      await near.prepare();
      const writer = await near.create('servers/s/p');
      const bytes = randomBytes(3_000_000);
      await writer.write(bytes);
      await writer.commit();
      const place = `sftp:${server.user}@127.0.0.1:${network.port}:${folder}/a/b`;
      const sftp = { identityFile: server.identityFile, knownHostsFile };
      const far = await openStore({ repository: place, s3: {}, rclone: {}, sftp });
      expect((await far.read('servers/s/p', 1, 2_999_998)).equals(bytes.subarray(1, -1))).to.equal(true);
      expect(network.received).to.be.within(3_000_000, 3_200_000);
    } finally {
      network.stop();
    }
  });

  it('goes on with an object after the server was killed in the middle of it', async () => {
    const backend = await open();
    await backend.prepare();
    const writer = await backend.create('servers/s/p');
    const chunks = [randomBytes(1_000_000), randomBytes(1_000_000), randomBytes(1_000_000)] as const;
    await writer.write(chunks[0]);
    await server.kill();
    // Nobody answers for a while.
    const writing = writer.write(chunks[1]);
    await wait(1000);
    await server.restart();
    await writing;
    await writer.write(chunks[2]);
    await writer.commit();
    expect((await backend.read('servers/s/p')).equals(Buffer.concat(chunks))).to.equal(true);
    expect(readdirSync(join(folder, 'a/b/servers/s/.incoming'))).to.deep.equal([]);
    await server.kill();
    await server.restart();
    expect((await backend.read('servers/s/p', 2_000_000, 1_000_000)).equals(chunks[2])).to.equal(true);
  });

  programInStore(
    'SFTP',
    async () => ({
      repository: `sftp:${server.user}@127.0.0.1:${server.port}:${folder}/backups`,
      sftp: { identityFile: server.identityFile, knownHostsFile: server.knownHostsFile },
    }),
    [],
  );

  describe('to a user who is shut in and may neither delete nor rename', () => {
    let shut: SshServer;

    before(async () => {
      const options = [
        'Match User nobody',
        'ChrootDirectory %s',
        'ForceCommand internal-sftp -P remove,rmdir,rename,posix-rename,setstat,fsetstat,lsetstat,symlink',
      ];
      shut = await SshServer.start('nobody', (place) => options.map((line) => line.replace('%s', place)));
      mkdirSync(join(shut.folder, 'backups'));
      const { uid, gid } = userInfoOf('nobody');
      chownSync(join(shut.folder, 'backups'), uid, gid);
    });
    after(() => shut.stop());

    it('stores objects, and deletes none (case 39)', async () => {
      const store = await openStore({
        repository: `sftp:nobody@127.0.0.1:${shut.port}:/backups/server`,
        s3: {},
        rclone: {},
        sftp: { identityFile: shut.identityFile, knownHostsFile: shut.knownHostsFile },
      });
      await store.prepare();
      for (const content of ['first', 'second']) {
        const writer = await store.create(`a/${content}`);
        await writer.write(Buffer.from(content));
        await writer.commit();
      }
      expect((await store.read('a/second')).toString()).to.equal('second');
      const again = await store.create('a/first');
      await again.write(Buffer.from('other'));
      expect(await failureOf(() => again.commit())).to.include({ code: 'object_exists' });
      expect(await failureOf(() => store.remove('a/first'))).to.include({ code: 'repository_refused' });
      expect((await store.read('a/first')).toString()).to.equal('first');
    });

    it('takes copies with a retention of their own night after night, and keeps what ended and could not be removed', async () => {
      const local = new Sandbox();
      try {
        local.set('databases', { method: 'none' });
        await local.init();
        const place = `sftp:nobody@127.0.0.1:${shut.port}:/backups/copy`;
        const sftp = { identityFile: shut.identityFile, knownHostsFile: shut.knownHostsFile };
        local.set('copies', [{ name: 'away', repository: place, sftp, retention: { keepWithin: '1 year', guardShare: 1 } }]);
        const perform = async (name: 'copy' | 'hold' | 'release', request: object) =>
          (await METHODS.get(name)?.perform(request, local.context)) as { status?: string };
        for (const text of ['one', 'two', 'three']) {
          writeFileSync(join(local.shadow, 'file'), text);
          const { snapshot } = await local.back();
          if (text === 'two') await perform('hold', { snapshot, reason: 'a case' });
          if (text === 'three') await perform('release', { snapshot: idOf(local.objects('snapshots')[1] as string) });
          expect(await perform('copy', {}), text).to.include({ status: 'ok' });
        }
        expect(local.log.map(({ message }) => message).join()).to.match(/holds\/.* has ended, and stays in the copy/);
        local.set('schedule', { verifyWithin: false });
        const stepsOf = async () => new Map((await nightlyWith(run)({ now: true }, local.context)).steps.map((each) => [each.step, each]));
        // What goes is refused, and said.
        local.set('copies', [{ name: 'away', repository: place, sftp, retention: { keepLast: 1, guardShare: 1 } }]);
        const now = local.now;
        local.now = () => new Date(now().getTime() + 3 * 86_400_000);
        writeFileSync(join(local.shadow, 'file'), 'four');
        await local.back('full');
        const last = await stepsOf();
        expect(last.get('copy')).to.include({ status: 'ok' });
        expect(last.get('prune-copies')).to.include({ status: 'failed' });
        expect(last.get('prune-copies')?.message).to.contain('does not permit it');
      } finally {
        await local.remove();
      }
    });
  });
});

const idOf = (path: string): string => /([^/]*)\.json$/.exec(path)?.[1] as string;
