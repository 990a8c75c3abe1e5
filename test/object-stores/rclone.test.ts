import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import type { Failure } from '../../core/failure.ts';
import type { Backend } from '../../core/repository/backends/backend.ts';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { operate } from '../../core/repository/backends/operation.ts';
import { failureOf } from '../failure-of.ts';
import { backendConformance } from '../repository/conformance.ts';
import { BadNetwork } from './bad-network.ts';
import { programInStore } from './program.ts';
import { SshServer } from './ssh-server.ts';

describe('a repository in what rclone reaches', function () {
  this.timeout(300_000);
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rclone-'));
    const { stdout: password } = await execa('rclone', ['obscure', 'a word']);
    const remotes = ['[plain]', 'type = local', '[secret]', 'type = crypt', `remote = ${folder}/secret`, `password = ${password}`];
    writeFileSync(join(folder, 'rclone.conf'), `${remotes.join('\n')}\n`, { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (repository: string): Promise<Backend> =>
    openStore({ repository, s3: {}, sftp: {}, rclone: { configFile: join(folder, 'rclone.conf') } });

  backendConformance(
    'rclone to a folder',
    () => open(`rclone:plain:${folder}/a/b`),
    async () => {},
  );
  it('says whether it can be written to where nothing may be deleted, and where nothing may be written', async () => {
    const backend = await open(`rclone:plain:${folder}/a/b`);
    const incoming = join(folder, 'a/b/servers/s/.incoming');
    mkdirSync(incoming, { recursive: true });
    execaSync('chattr', ['+a', incoming]);
    try {
      for (let time = 0; time < 2; time++) await backend.tryWriting?.('servers/s');
      expect(readdirSync(incoming)).to.have.length(1);
    } finally {
      execaSync('chattr', ['-a', incoming]);
    }
    execaSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'shut', incoming]);
    try {
      const asked = { signal: new AbortController().signal, notify: () => {}, patience: 100 };
      const failure = await failureOf(() => operate(asked, async () => backend.tryWriting?.('servers/s')));
      expect(failure.message).to.contain('read-only file system');
    } finally {
      execaSync('umount', [incoming]);
    }
  });
  it('says so when there is no such remote', async () => {
    expect(await failureOf(async () => (await open('rclone:other:a')).inspect())).to.include({ code: 'invalid_settings' });
  });

  it('is tried again when the network resets what rclone is connected by', async () => {
    const server = await SshServer.start();
    const network = await BadNetwork.start(server.port, 0);
    try {
      const far = [
        '[far]',
        'type = sftp',
        'host = 127.0.0.1',
        `port = ${network.port}`,
        'user = root',
        `key_file = ${server.identityFile}`,
      ];
      writeFileSync(join(folder, 'rclone.conf'), `${far.join('\n')}\nshell_type = none\n`, { mode: 0o600 });
      const store = await open(`rclone:far:${folder}/stored`);
      await store.prepare();
      const bytes = randomBytes(400_000);
      network.troubles = [4000, 6000, 1].map((after) => ({ after, kind: 'reset' }));
      const writer = await store.create('servers/s/a');
      const storing = (async () => {
        await writer.write(bytes);
        await writer.commit();
      })();
      // Of an object on its way rclone itself tries again what it can; else the next run stores it.
      const isStored = await storing.then(
        () => true,
        ({ code }: Failure) => expect(code).to.equal('repository_unreachable') && false,
      );
      await writer.abort();
      if (!isStored) {
        network.troubles = [];
        const again = await store.create('servers/s/a');
        await again.write(bytes);
        await again.commit();
      }
      network.troubles = [5000, 1].map((after) => ({ after, kind: 'reset' }));
      expect((await store.read('servers/s/a', 1000, 300_000)).equals(bytes.subarray(1000, 301_000))).to.equal(true);
      expect(network.count).to.be.at.least(2);
    } finally {
      network.stop();
      await server.stop();
    }
  });

  // Each call is a process: what differs by the kind of remote is slow to see.
  if (process.env.SLOW === '1') {
    backendConformance(
      'rclone, which encrypts',
      () => open('rclone:secret:a/b'),
      async () => {},
    );
    programInStore(
      'what rclone encrypts',
      async () => ({
        repository: 'rclone:secret:backups',
        rclone: { configFile: join(folder, 'rclone.conf') },
      }),
      ['exclusive', 'durable'],
    );
  }
});
