import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { defaultSettings } from '../../core/config/defaults.ts';
import { loadSettings, readSetting, writeSetting } from '../../core/config/settings.ts';
import { Failure } from '../../core/failure.ts';

function failureOf(action: () => unknown): Failure {
  try {
    action();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('settings', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'settings-'));
    file = join(folder, 'config.json');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('take every kind of location, and refuse by name what is none', () => {
    const right = [
      '/srv/backups',
      's3:https://s3.example.com/bucket',
      's3:http://127.0.0.1:8080/bucket/a/b-c',
      'sftp:host:/x',
      'sftp:me@host.example.com:2222:/srv/b',
      'sftp:[fd00::1]:22:/x',
      'rclone:remote:',
      'rclone:my remote:a/b',
    ];
    for (const repository of right) {
      writeSetting(file, 'repository', repository);
      expect(readSetting(file, 'repository')).to.equal(repository);
    }
    const wrong: [string, string][] = [
      ['ftp:host:/x', 'the scheme "ftp" is unknown'],
      ['S3:https://s3.example.com/bucket', 'the scheme "S3" is unknown'],
      ['webdav:https://x', 'the scheme "webdav" is unknown'],
      ['backups', '"backups"'],
      ['s3:s3.example.com/bucket', 'after s3: comes the address'],
      ['s3:ftp://s3.example.com/bucket', 'after s3: comes the address'],
      ['s3:https://s3.example.com/', '"" is no name of a bucket'],
      ['s3:https://s3.example.com/Bucket_', 'no name of a bucket'],
      ['s3:https://s3.example.com/bucket/a//b', 'the prefix "a//b"'],
      ['s3:https://s3.example.com/bucket/../x', 'written plainly'],
      ['s3:https://s3.example.com/bucket?x=y', 'nothing follows the prefix'],
      ['s3:https://key:word@s3.example.com/bucket', 'a key does not belong into it'],
      ['sftp:host', 'after sftp: come'],
      ['sftp:host:relative', 'after sftp: come'],
      ['sftp:-oProxyCommand=x:/y', 'after sftp: come'],
      ['sftp:host:70000:/x', '70000 is no port'],
      ['rclone:remote', 'after rclone: come'],
      ['rclone:-x:y', 'after rclone: come'],
      ['rclone::local:/x', 'after rclone: come'],
    ];
    const before = readFileSync(file, 'utf8');
    for (const [repository, said] of wrong) {
      const { message } = failureOf(() => writeSetting(file, 'repository', repository));
      expect(message, repository).to.contain(said).and.to.not.contain('key:word');
      expect(failureOf(() => writeSetting(file, 'copies', [{ name: 'a', repository }])).message, repository).to.contain(said);
    }
    const { message, affected } = failureOf(() => writeSetting(file, 's3', { secretAccessKey: 'word', credentialsFile: 'word' } as object));
    expect(`${message} ${affected}`).to.contain('secretAccessKey').and.to.not.contain('word');
    expect(readFileSync(file, 'utf8')).to.equal(before);
  });

  it('takes the default of every key that the file leaves out', () => {
    writeFileSync(file, '{"repository":"/backup"}');
    expect(loadSettings(file)).to.deep.equal({ ...defaultSettings(), repository: '/backup' });
  });

  it('takes a file that begins with a byte order mark', () => {
    writeFileSync(file, '\ufeff{"repository":"/backup"}');
    expect(loadSettings(file).repository).to.equal('/backup');
  });

  const SYNTAX: [string, RegExp][] = [
    ['{"repository":"/backup",}', /line 1, column 25: Expected/],
    ['{\n  "repository": "/backup"\n  "exclude": []\n}', /line 3, column 3: Expected ','/],
    ['{\n  "repository": "/backup"\n', /line 3, column 1: /],
    ['', /line 1, column 1: it ends too early/],
  ];
  for (const [text, where] of SYNTAX) {
    it(`says where ${JSON.stringify(text)} stops being JSON, and why`, () => {
      writeFileSync(file, text);
      expect(failureOf(() => loadSettings(file)).message).to.match(where);
    });
  }

  it('reads a pipe once, however often it is asked for', () => {
    const text = `{"exclude":${JSON.stringify(Array.from({ length: 900 }, (_, at) => `pattern-${at}`))}}`;
    const module = join(import.meta.dirname, '../../core/config/settings.ts');
    const program = `
      const { loadSettings } = await import(${JSON.stringify(module)});
      const file = process.argv[1];
      console.log(loadSettings(file).exclude.length, loadSettings(file).exclude.length);`;
    writeFileSync(file, text);
    const command = '"$0" --input-type=module -e "$1" <(cat "$2")';
    expect(execFileSync('bash', ['-c', command, process.execPath, program, file], { encoding: 'utf8' })).to.equal('900 900\n');
  });

  it('refuses a named file that does not exist', () => {
    expect(failureOf(() => loadSettings(file))).to.include({ code: 'invalid_settings' });
  });

  const rejected: [string, string, RegExp][] = [
    ['an unknown key, named', '{"repositry":"/backup"}', /"repositry"/],
    ['a value of several types, all named', '{"notify":{"mail":"nobody"}}', /\/notify\/mail must be boolean or array/],
    ['a value of the wrong type, named', '{"limits":{"workers":"four"}}', /\/limits\/workers/],
    ['a relative path', '{"repository":"backup"}', /\/repository/],
    ['a path that looks like an option', '{"repository":"--help"}', /\/repository/],
    ['a path with a NUL byte', '{"repository":"/back\\u0000up"}', /\/repository/],
    ['no workers at all', '{"limits":{"workers":0}}', /\/limits\/workers/],
    ['a nice value that is no priority', '{"limits":{"nice":-5}}', /\/limits\/nice/],
    ['the real-time class', '{"limits":{"ioClass":"realtime"}}', /\/limits\/ioClass/],
    ['a rate without a unit', '{"limits":{"readRate":1000}}', /\/limits\/readRate/],
    ['a rate of nothing', '{"limits":{"sendRate":"0 MiB/s"}}', /\/limits\/sendRate/],
    ['a load of nothing', '{"limits":{"load":0}}', /\/limits\/load/],
    ['something that is not an object', '[]', /object/],
    ['a prototype in the place of a setting', '{"__proto__":{"exclude":[]}}', /__proto__/],
    ['a file that is cut off', '{"repository":', /not JSON/],
  ];
  for (const [what, text, message] of rejected) {
    it(`refuses ${what}`, () => {
      writeFileSync(file, text);
      const failure = failureOf(() => loadSettings(file));
      expect(failure.code).to.equal('invalid_settings');
      expect(failure.message).to.match(message).and.to.include(file);
    });
  }

  it('writes one setting, keeps the others and leaves no temporary file', () => {
    writeFileSync(file, '{"limits":{"workers":2}}', { mode: 0o644 });
    writeSetting(file, 'repository', '/srv/; rm -rf $(x)');
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal({ limits: { workers: 2 }, repository: '/srv/; rm -rf $(x)' });
    expect(statSync(file).mode & 0o7777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['config.json']);
    expect(readSetting(file, 'repository')).to.equal('/srv/; rm -rf $(x)');
  });

  it('makes the file and its folder when they are missing', () => {
    const deep = join(folder, 'etc', 'config.json');
    expect(readSetting(deep, 'repository')).to.equal(defaultSettings().repository);
    writeSetting(deep, 'limits', { workers: 3 });
    expect(readSetting(deep, 'limits')).to.deep.equal({ workers: 3 });
  });

  it('goes back to the default', () => {
    writeSetting(file, 'limits', { workers: 3 });
    writeSetting(file, 'limits', undefined);
    expect(readFileSync(file, 'utf8')).to.equal('{}\n');
  });

  it('does not touch the file when nothing would change', () => {
    writeSetting(file, 'limits', { workers: 3 });
    const before = statSync(file, { bigint: true });
    writeSetting(file, 'limits', { workers: 3 });
    expect(statSync(file, { bigint: true }).ino).to.equal(before.ino);
  });

  it('refuses a value that is not allowed and leaves the file as it was', () => {
    writeSetting(file, 'limits', { workers: 3 });
    expect(failureOf(() => writeSetting(file, 'repository', 'relative'))).to.include({ code: 'usage' });
    expect(loadSettings(file).limits).to.deep.equal({ workers: 3 });
  });

  it('does not repair a file that is already wrong by writing over it', () => {
    writeFileSync(file, '{"unknown":1}');
    expect(failureOf(() => writeSetting(file, 'limits', { workers: 3 })).code).to.equal('invalid_settings');
    expect(readFileSync(file, 'utf8')).to.equal('{"unknown":1}');
  });

  it('mends a wrong setting by a right one, and loses none that could not be shown', () => {
    writeFileSync(file, '{"repository":"/backup","exclude":"cache/"}');
    expect(failureOf(() => writeSetting(file, 'exclude', undefined)).message).to.contain('/exclude');
    expect(failureOf(() => writeSetting(file, 'readBack', true)).message).to.contain('/exclude');
    expect(readFileSync(file, 'utf8')).to.contain('cache/');
    writeSetting(file, 'exclude', ['cache/']);
    expect(loadSettings(file)).to.deep.include({ repository: '/backup', exclude: ['cache/'] });
  });
});
