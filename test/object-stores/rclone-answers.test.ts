import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { operate } from '../../core/repository/backends/operation.ts';
import { Rclone } from '../../core/repository/backends/rclone/command.ts';
import { RcloneBackend } from '../../core/repository/backends/rclone/rclone.ts';
import { failureOf } from '../failure-of.ts';

describe('the program rclone', () => {
  const { PATH } = process.env;
  let folder: string;
  let configFile: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rclone-answers-'));
    configFile = join(folder, 'rclone.conf');
    writeFileSync(configFile, '[plain]\ntype = local\n', { mode: 0o600 });
  });
  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (remote = 'plain', hangsAfter?: number): RcloneBackend =>
    new RcloneBackend(new Rclone({ kind: 'rclone', remote, path: join(folder, 'a') }, { configFile }, hangsAfter));
  /** Has a script called in its place. */
  const behave = (script: string): void => {
    writeFileSync(join(folder, 'rclone'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = `${folder}:${PATH}`;
  };

  it('is not called with settings that others than root can read or change: they have its keys, and commands that it runs', async () => {
    chmodSync(configFile, 0o640);
    expect(await failureOf(() => open().inspect())).to.include({ code: 'invalid_settings' });
    const writer = await open().create('servers/s/a');
    expect(await failureOf(() => writer.write(Buffer.from('x')))).to.include({ code: 'invalid_settings' });
    chmodSync(configFile, 0o600);
    chownSync(configFile, 65_534, 65_534);
    expect(await failureOf(() => open().inspect())).to.include({ code: 'invalid_settings' });
    chownSync(configFile, 0, 0);
    expect(await open().inspect()).to.equal('absent');
    // One that is not there is for rclone to say.
    rmSync(configFile);
    expect((await failureOf(() => open('other').inspect())).message).to.contain('config');
  });

  it('gets nothing of the environment but where programs are, and is never asked for a password in the place of what is stored', async () => {
    behave(`{ env; echo "$@"; } > "${folder}/said"; echo '[]'`);
    process.env.RCLONE_CONFIG_PLAIN_TYPE = 'alias';
    try {
      await open().inspect();
    } finally {
      delete process.env.RCLONE_CONFIG_PLAIN_TYPE;
    }
    const said = readFileSync(join(folder, 'said'), 'utf8');
    expect(said).to.not.contain('RCLONE_');
    expect(said).to.contain('--ask-password=false');
  });

  it('is tried again only after what passes', async () => {
    for (const [exit, text, code, retry] of [
      [1, 'dial tcp: connection refused', 'repository_unreachable', true],
      [5, 'too many requests', 'repository_unreachable', true],
      [1, 'Fatal error: unknown flag: --no-mimetype', 'repository_refused', false],
      [1, 'failed to open directory: permission denied', 'repository_refused', false],
      [1, 'AccessDenied: Access Denied', 'repository_refused', false],
      [1, 'oauth2: cannot fetch token: invalid_grant', 'repository_refused', false],
      [6, 'it says no', 'repository_refused', false],
      [7, 'account suspended', 'repository_refused', false],
      [8, 'max transfer limit reached', 'repository_refused', false],
      [1, 'googleapi: storage quota exceeded', 'disk_full', true],
    ] as const) {
      behave(`echo '${text}' >&2; exit ${exit}`);
      expect(await failureOf(() => open().folders('servers')), text).to.include({ code, retry });
    }
    behave('kill -9 $$');
    expect(await failureOf(() => open().folders('servers'))).to.include({ code: 'repository_unreachable', retry: true });
    behave("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
    expect(await failureOf(() => open().folders('servers'))).to.include({ code: 'repository_refused' });
  });

  it('is ended when it hangs, and when nobody waits for it any more', async () => {
    behave('exec sleep 100');
    expect(await failureOf(() => open('plain', 100).folders('servers'))).to.include({ code: 'repository_unreachable', retry: true });
    const controller = new AbortController();
    const operation = { signal: controller.signal, notify: () => {}, grace: 50 };
    setTimeout(() => controller.abort(), 50);
    expect(await failureOf(() => operate(operation, () => open().folders('servers')))).to.include({ code: 'cancelled' });
  });
});
