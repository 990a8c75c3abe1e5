import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import ssh2, { type SFTPWrapper } from 'ssh2';
import { operate } from '../../core/repository/backends/operation.ts';
import type { Patience } from '../../core/repository/backends/retry.ts';
import { SftpConnection, type SftpSettings, type Waits } from '../../core/repository/backends/sftp/connection.ts';
import { SftpBackend } from '../../core/repository/backends/sftp/sftp.ts';
import { StoreBackend } from '../../core/repository/backends/store-backend.ts';
import { failureOf } from '../failure-of.ts';
import { SshServer } from './ssh-server.ts';

const ONCE: Patience = { first: 1, longest: 1, total: 0, quiet: 5000 };
const AGAIN: Patience = { first: 10, longest: 100, total: 60_000, quiet: 60_000 };
/** By its argument the processes of this server are told from others. */
const EXTERNAL = `/usr/lib/openssh/sftp-server -d /proc/${process.pid}`;

/** The processes that have a TCP connection to a port of loopback, one for each. */
function connectionsTo(port: number): number {
  const lines = execFileSync('ss', ['-Htnp', 'state', 'established', 'dport', '=', `:${port}`], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`pid=${process.pid},`)).length;
}

describe('what an SFTP server answers, and what leads to it', function () {
  this.timeout(60_000);
  let server: SshServer;
  let folder: string;

  before(async () => {
    // Signs of life each second, by another process than the one that answers.
    server = await SshServer.start('root', () => ['ClientAliveInterval 1', 'ClientAliveCountMax 1000'], `Subsystem sftp ${EXTERNAL}`);
  });
  after(() => server.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sftp-answers-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (
    changes: Partial<SftpSettings> & { path?: string; port?: number; waits?: Waits; patience?: Patience } = {},
  ): StoreBackend => {
    const { path = join(folder, 'a'), port = server.port, waits, patience = ONCE, ...settings } = changes;
    const { identityFile, knownHostsFile } = server;
    const location = { kind: 'sftp', user: server.user, host: '127.0.0.1', port, path } as const;
    const store = new SftpBackend(new SftpConnection(location, { identityFile, knownHostsFile, ...settings }, waits), patience);
    return new StoreBackend(store, () => Buffer.alloc(0), patience);
  };
  const store = async (backend: StoreBackend, name: string, content = 'x') => {
    const writer = await backend.create(name);
    await writer.write(Buffer.from(content));
    await writer.commit();
  };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };

  it('says what is wrong with a key, and tries nothing again', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a word', '-f', join(folder, 'locked')]);
    const keys = {
      locked: join(folder, 'locked'),
      garbage: file('garbage', 'no key'),
      public: file('pub', readFileSync(`${server.identityFile}.pub`, 'utf8')),
    };
    for (const [name, identityFile] of Object.entries(keys)) {
      const failure = await failureOf(() => open({ identityFile }).inspect());
      expect(failure, name).to.include({ code: 'invalid_settings', retry: false });
      expect(failure.advice, name).to.contain('passphrase');
    }
    expect(await failureOf(() => open({ agent: join(folder, 'no-agent') }).inspect())).to.include({
      code: 'repository_refused',
      retry: false,
    });
    expect(connectionsTo(server.port)).to.equal(0);
  });

  it('takes no host for known whose key is revoked, or in a file that others could change', async () => {
    const known = readFileSync(server.knownHostsFile, 'utf8');
    const [, ...key] = known.split(' ');
    const revoked = file('revoked', `${known}@revoked * ${key.join(' ')}`);
    expect((await failureOf(() => open({ knownHostsFile: revoked }).inspect())).message).to.contain('revoked');
    const open2 = file('open', known);
    chmodSync(open2, 0o646);
    expect(await failureOf(() => open({ knownHostsFile: open2 }).inspect())).to.include({ code: 'invalid_settings' });
    expect(await open({ knownHostsFile: file('closed', known) }).inspect()).to.equal('absent');
  });

  it('is followed where links lead on the way to the repository, and not below', async () => {
    mkdirSync(join(folder, 'disk'));
    symlinkSync(join(folder, 'disk'), join(folder, 'link'));
    expect(await open({ path: join(folder, 'link') }).inspect()).to.equal('empty');
    const backend = open({ path: join(folder, 'link/deep/er') });
    await backend.prepare();
    await store(backend, 'servers/s/a');
    expect(existsSync(join(folder, 'disk/deep/er/servers/s/a'))).to.equal(true);
    symlinkSync(join(folder, 'disk/deep/er/servers'), join(folder, 'disk/deep/er/others'));
    expect(await backend.folders('servers')).to.deep.equal(['s']);
    const names: string[] = [];
    for await (const { name } of backend.list('')) names.push(name);
    expect(names).to.deep.equal(['servers/s/a']);
    file('file', 'x');
    expect(await failureOf(() => open({ path: join(folder, 'file') }).inspect())).to.include({ code: 'repository_missing' });
    expect(await failureOf(() => open({ path: join(folder, 'file') }).prepare())).to.include({ code: 'repository_foreign' });
  });

  it('may lose folders that were there a moment ago', async () => {
    const backend = open();
    await backend.prepare();
    await store(backend, 'servers/s/a');
    rmSync(join(folder, 'a/servers'), { recursive: true });
    await store(backend, 'servers/s/b');
    const writer = await backend.create('servers/s/units/u');
    await writer.write(Buffer.from('x'));
    await store(backend, 'servers/s/units/v');
    rmSync(join(folder, 'a/servers/s/units'), { recursive: true });
    await writer.commit();
    expect(readdirSync(join(folder, 'a/servers/s/units'))).to.deep.equal(['u']);
    rmSync(join(folder, 'a'), { recursive: true });
    // The place itself can be on a disk that is not there: nothing is made in its stead.
    expect(await failureOf(() => store(backend, 'servers/s/c'))).to.include({ code: 'io_error' });
    expect(existsSync(join(folder, 'a'))).to.equal(false);
  });

  it('may come back without what it had confirmed: then nothing gets a name', async () => {
    const backend = open({ patience: AGAIN });
    await backend.prepare();
    for (const isLost of [false, true]) {
      const writer = await backend.create(`servers/s/${isLost}`);
      await writer.write(Buffer.alloc(300_000, 1));
      await server.kill();
      const [incoming = ''] = readdirSync(join(folder, 'a/servers/s/.incoming'));
      // What a file system shows after the power failed.
      if (isLost) truncateSync(join(folder, 'a/servers/s/.incoming', incoming), 100_000);
      await server.restart();
      await writer.write(Buffer.alloc(300_000, 2));
      const failure = isLost ? await failureOf(() => writer.commit()) : await writer.commit();
      if (isLost) expect(failure).to.include({ code: 'io_error', retry: true });
      expect(await backend.size(`servers/s/${isLost}`)).to.equal(isLost ? undefined : 600_000);
      expect(readdirSync(join(folder, 'a/servers/s/.incoming'))).to.deep.equal([]);
    }
    expect(connectionsTo(server.port), 'connections of one backend').to.equal(1);
  });

  it('is given up when it only gives signs of life, and no answer', async () => {
    const backend = open({ waits: { connect: 20_000, silent: 60_000, unanswered: 1000 } });
    await backend.prepare();
    const pids = execFileSync('pgrep', ['-f', `^${EXTERNAL}`], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      expect(await failureOf(() => backend.size('servers/s/a'))).to.include({ code: 'repository_unreachable', retry: true });
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    expect(await backend.size('servers/s/a')).to.equal(undefined);
  });

  describe('from a server that answers as it likes', () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    let hostile: InstanceType<typeof ssh2.Server>;
    let port: number;
    let answer: ((sftp: SFTPWrapper) => void) | 'refused' | 'silent';

    beforeEach(async () => {
      hostile = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
        client.on('error', () => {});
        client.on('authentication', (context) => context.accept());
        client.on('session', (accept) => {
          const session = accept();
          session.on('sftp', (agree, refuse) => {
            if (answer === 'refused') refuse();
            else if (answer !== 'silent') answer(agree());
          });
        });
      });
      await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
      port = (hostile.address() as AddressInfo).port;
      const key = ssh2.utils.parseKey(privateKey);
      const shown = [key].flat()[0] as { getPublicSSH(): Buffer };
      file('known', `[127.0.0.1]:${port} ssh-rsa ${shown.getPublicSSH().toString('base64')}\n`);
    });
    afterEach(() => {
      hostile.close();
    });
    const reach = (): StoreBackend =>
      open({ port, knownHostsFile: join(folder, 'known'), waits: { connect: 400, silent: 800, unanswered: 800 } });

    it('lists no folder without an end', async () => {
      answer = (sftp) => {
        sftp.on('STAT', (id) => sftp.attrs(id, { mode: 0o40700, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 }));
        sftp.on('OPENDIR', (id) => sftp.handle(id, Buffer.from('h')));
        sftp.on('READDIR', (id) => sftp.name(id, []));
        sftp.on('CLOSE', (id) => sftp.status(id, 0));
      };
      expect(await failureOf(() => reach().inspect())).to.include({ code: 'repository_refused' });
      // An answer without names, which is none.
      answer = (sftp) => {
        sftp.on('STAT', (id) => sftp.attrs(id, { mode: 0o40700, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 }));
        sftp.on('OPENDIR', (id) => sftp.handle(id, Buffer.from('h')));
        sftp.on('READDIR', (id) => sftp.status(id, 0));
        sftp.on('CLOSE', (id) => sftp.status(id, 0));
      };
      expect(await failureOf(() => reach().inspect())).to.include({ code: 'repository_unreachable' });
    });

    it('leaves no connection behind that came to nothing', async () => {
      answer = 'refused';
      for (let count = 0; count < 3; count++) expect(await failureOf(() => reach().inspect())).to.have.property('retry', true);
      // One that never begins what was asked for, and says nothing.
      answer = 'silent';
      expect(await failureOf(() => reach().inspect())).to.include({ code: 'repository_unreachable' });
      await wait(50);
      expect(connectionsTo(port)).to.equal(0);
    });

    it('is waited for no longer than a moment when nobody wants to know any more', async () => {
      const mute = (sftp: SFTPWrapper) => void sftp.on('STAT', () => {});
      for (const kind of ['silent', mute] as const) {
        answer = kind;
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 300);
        const operation = { signal: controller.signal, notify: () => {}, grace: 50 };
        const waits = { connect: 50_000, silent: 100_000, unanswered: 100_000 };
        const backend = open({ port, knownHostsFile: join(folder, 'known'), waits, patience: AGAIN });
        expect(await failureOf(() => operate(operation, () => backend.inspect()))).to.include({ code: 'cancelled' });
      }
      await wait(50);
      expect(connectionsTo(port)).to.equal(0);
    });

    it('is not asked again when it shows no key of the type that is known', async () => {
      const other = readFileSync(server.knownHostsFile, 'utf8').split(' ').slice(1).join(' ');
      const knownHostsFile = file('other-type', `[127.0.0.1]:${port} ${other}`);
      const failure = await failureOf(() => open({ port, knownHostsFile, patience: AGAIN }).inspect());
      expect(failure).to.include({ code: 'repository_refused', retry: false });
    });

    it('knows no rename that replaces: then the damaged one goes first', async () => {
      const asked: string[] = [];
      answer = (sftp) => {
        const attributes = { mode: 0o100600, uid: 0, gid: 0, size: 4, atime: 0, mtime: 0 };
        sftp.on('LSTAT', (id, path) =>
          path.endsWith('/servers') ? sftp.attrs(id, { ...attributes, mode: 0o40700 }) : sftp.attrs(id, attributes),
        );
        sftp.on('MKDIR', (id) => sftp.status(id, 0));
        sftp.on('OPEN', (id) => sftp.handle(id, Buffer.from('h')));
        sftp.on('WRITE', (id) => sftp.status(id, 0));
        sftp.on('CLOSE', (id) => sftp.status(id, 0));
        sftp.on('REMOVE', (id, path) => {
          if (!path.includes('.incoming')) asked.push('remove');
          sftp.status(id, 0);
        });
        sftp.on('RENAME', (id) => {
          asked.push('rename');
          sftp.status(id, 0);
        });
      };
      const writer = await reach().create('servers/a', 'replacing');
      await writer.write(Buffer.from('text'));
      await writer.commit();
      expect(asked).to.deep.equal(['remove', 'rename']);
    });
  });
});
