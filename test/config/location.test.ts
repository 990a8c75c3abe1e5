import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseLocation } from '../../core/config/location.ts';
import { loadSettings, loadUsableSettings } from '../../core/config/settings.ts';
import { failureOf } from '../failure-of.ts';

const refused = (text: string) => failureOf(async () => parseLocation(text));

describe('the place of a repository', () => {
  it('is read as it is written', () => {
    const s3 = { kind: 's3', endpoint: 'https://h', bucket: 'bucket', prefix: '' };
    const sftp = { kind: 'sftp', user: undefined, host: 'h', port: undefined, path: '/p' };
    for (const [text, location] of [
      ['/mnt/a b', { kind: 'directory', path: '/mnt/a b' }],
      ['s3:https://h/bucket', s3],
      ['s3:https://h/bucket/', s3],
      ['s3:HTTPS://H:443/bucket/p/q/', { ...s3, prefix: 'p/q' }],
      ['s3:http://[::1]:8080/bucket', { ...s3, endpoint: 'http://[::1]:8080' }],
      ['sftp:h:/p', sftp],
      ['sftp:u@h:22:/p', { ...sftp, user: 'u', port: 22 }],
      ['sftp:u+x@example.com@[::1]:2222:/p', { ...sftp, user: 'u+x@example.com', host: '::1', port: 2222 }],
      ['sftp:h:/p%20 ü', { ...sftp, path: '/p%20 ü' }],
      ['rclone:my remote:a/b', { kind: 'rclone', remote: 'my remote', path: 'a/b' }],
      ['rclone:r:', { kind: 'rclone', remote: 'r', path: '' }],
    ] as const) {
      expect(parseLocation(text), text).to.deep.equal(location);
    }
  });

  it('is refused where somebody would read it otherwise than it is written', async () => {
    for (const text of [
      's3:https://h/bucket/a/../b',
      's3:https://h/bucket/%2e%2e/b',
      's3:https://h/buc\nket',
      's3:https:h/bucket',
      's3:https://h\\bucket/p',
      's3:https://h/bucket/p//',
      's3:https://h',
      'sftp:h:/p/../q',
      'sftp:h:p',
      'sftp:h:0:/p',
      'sftp:fe80::1:/p',
      'sftp:-oProxyCommand=x@h:/p',
      'rclone:r:../x',
      'rclone::local:/etc',
      'rclone:-x:y',
      'relative',
      '',
    ]) {
      expect(await refused(text), text).to.include({ code: 'invalid_settings' });
    }
    for (const scheme of ['ftp', 'C', 'S3', 'file']) expect((await refused(`${scheme}:x`)).message).to.contain(`"${scheme}"`);
  });

  it('shows no secret that somebody wrote into it', async () => {
    for (const text of [
      's3:https://KEY:hid/den+x@h/bucket',
      's3:https://KEY:hidden@h/bucket',
      's3://KEY:hidden@bucket/p',
      's3:https://h/bucket?X-Amz-Signature=hidden',
      'sftp:u:hidden@h:/p',
      'sftp://u:hidden@h/p',
      'rclone::s3,secret_access_key=hidden:b',
      'ftp://u:hidden@h/x',
      'https://key:hidden@h/b',
    ]) {
      const { message, affected } = await refused(text);
      expect(`${message} ${affected.join(' ')}`, text).to.not.match(/hid/);
      expect(message).to.contain('…');
    }
  });

  it('needs what says how it is reached, when that is wrong in the settings, and nothing that is about other places', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'location-'));
    const file = join(folder, 'config.json');
    try {
      const settings = { repository: 's3:https://h/bucket', s3: { regoin: 'x' }, sftp: { port: 1 } };
      writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
      expect((await failureOf(async () => loadUsableSettings(file))).message).to.contain('regoin');
      writeFileSync(file, JSON.stringify({ ...settings, s3: {} }), { mode: 0o600 });
      expect([...loadUsableSettings(file).unusable.keys()]).to.deep.equal(['sftp']);
      writeFileSync(file, JSON.stringify({ repository: 'sftp:h:/p', copies: [{ name: 'same', repository: 'sftp:root@H:22:/p/' }] }), {
        mode: 0o600,
      });
      expect((await failureOf(async () => loadSettings(file))).message).to.contain('one place');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
