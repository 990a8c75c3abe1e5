import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { execa } from 'execa';
import { getAttributeSync, setAttributeSync } from 'fs-xattr';
import { MESSAGES, NOTIFICATIONS } from '../../core/schemas/messages.ts';
import { PROGRAM } from '../../core/version.ts';
import { jsonLines, ROOT } from '../program.ts';

const DIST = join(ROOT, 'dist');
const EXECUTABLE = join(DIST, 'apiscp-backup');
/** Such pieces are what the kernel keeps in small pages. */
const PAGE = 4096;
const VERSION_REQUEST = '{"jsonrpc":"2.0","id":1,"method":"version"}\n';

/** What a descriptor is open on; empty when it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

describe('the built program', () => {
  before(async function () {
    this.timeout(300_000);
    if (!existsSync(EXECUTABLE)) await execa(process.execPath, [join(ROOT, 'build/build.ts')], { cwd: ROOT });
  });

  const forms: [string, string, string[]][] = [
    ['executable', EXECUTABLE, []],
    ['bundle', process.execPath, [join(DIST, 'apiscp-backup.cjs')]],
  ];
  for (const [name, command, args] of forms) {
    it(`answers as ${name}`, async () => {
      expect((await execa(command, [...args, '--version'])).stdout).to.equal(PROGRAM.version);
      const { stdout } = await execa(command, [...args, 'rpc'], { input: VERSION_REQUEST, stripFinalNewline: false });
      expect(jsonLines(stdout)[0]).to.have.nested.property('result.version', PROGRAM.version);
    });
  }

  it('needs nothing beside it and ignores the options of another Node', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const copy = join(folder, 'apiscp-backup');
      copyFileSync(EXECUTABLE, copy);
      const { stdout, stderr } = await execa(copy, ['--version'], { cwd: '/', env: { NODE_OPTIONS: '--require=/nonexistent.cjs' } });
      expect([stdout, stderr]).to.deep.equal([PROGRAM.version, '']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes no more memory than it would from any disk: the way in which its file was written does not count', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const bytes = readFileSync(EXECUTABLE);
      const copy = join(folder, 'apiscp-backup');
      for (let at = 0; at < bytes.length; at += PAGE) appendFileSync(copy, bytes.subarray(at, at + PAGE), { mode: 0o700 });
      const peaks: number[] = [];
      for (const program of [EXECUTABLE, copy]) {
        const running = execa(program, ['rpc'], { buffer: false });
        running.stdin.write(VERSION_REQUEST);
        await once(running.stdout, 'data');
        peaks.push(Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))?.[1]));
        running.stdin.end();
        await running;
      }
      expect(peaks[0]).to.be.below((peaks[1] as number) + 10 * 1024);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('backs up and restores with its own threads and native parts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const site = join(folder, 'accounts/site1');
      for (const name of ['shadow/var', 'info']) mkdirSync(join(site, name), { recursive: true });
      writeFileSync(join(site, 'shadow/var/page'), 'hello');
      setAttributeSync(join(site, 'shadow/var/page'), 'user.colour', 'blue');
      const settings = join(folder, 'config.json');
      const places = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'accounts', systemRoot: 'system' };
      const paths = Object.entries(places).map(([name, place]) => [name, join(folder, place)]);
      writeFileSync(settings, JSON.stringify({ ...Object.fromEntries(paths), limits: { workers: 2 } }));
      const command = (...args: string[]) => execa(EXECUTABLE, ['--config', settings, '--json', ...args]);
      for (const args of [['init'], ['run', 'site1'], ['restore', 'site1', '--to', join(folder, 'out')]]) {
        expect(JSON.parse((await command(...args)).stdout), args.join(' ')).to.have.property('status', 'ok');
      }
      expect(readFileSync(join(folder, 'out/shadow/var/page'), 'utf8')).to.equal('hello');
      expect(getAttributeSync(join(folder, 'out/shadow/var/page'), 'user.colour').toString()).to.equal('blue');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  /** A server with one account whose backup lasts until it is stopped. */
  function slowServer(folder: string): string {
    const shadow = join(folder, 'accounts/site1/shadow');
    mkdirSync(shadow, { recursive: true });
    mkdirSync(join(folder, 'accounts/site1/info'));
    mkdirSync(join(folder, 'system'));
    for (let file = 0; file < 20; file++) writeFileSync(join(shadow, `file-${file}`), randomBytes(1024 * 1024));
    const settings = join(folder, 'config.json');
    const places = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'accounts', systemRoot: 'system' };
    const paths = Object.entries(places).map(([name, place]) => [name, join(folder, place)]);
    writeFileSync(settings, JSON.stringify({ ...Object.fromEntries(paths), limits: { workers: 2, readRate: '1 MiB/s' } }), { mode: 0o600 });
    return settings;
  }

  it('tells on SIGUSR1 how far it is, and opens nothing for anybody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const settings = slowServer(folder);
      await execa(EXECUTABLE, ['--config', settings, 'init']);
      const run = execa(EXECUTABLE, ['--config', settings, 'run', 'site1'], { reject: false, forceKillAfterDelay: false });
      const lines = createInterface(run.stderr)[Symbol.asyncIterator]();
      const next = async (): Promise<string> => (await lines.next()).value ?? '';
      expect(await next())
        .to.contain('site1')
        .and.to.contain('backup');
      const sockets = () => readdirSync(`/proc/${run.pid}/fd`).filter((fd) => linkOf(`/proc/${run.pid}/fd/${fd}`).startsWith('socket:'));
      const before = sockets();
      for (let asked = 0; asked < 3; asked++) {
        run.kill('SIGUSR1');
        expect(await next()).to.match(/^site1.* backup: [\d,]+ entries, /);
      }
      expect(sockets()).to.deep.equal(before);
      run.kill('SIGTERM');
      expect((await run).exitCode).to.equal(143);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps every byte of its arguments where it has to take such variables away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const settings = slowServer(folder);
      const command = 'exec "$0" --config "$1" --json explain site1 "shadow/$(printf \'M\\374rz\')/$(printf \'\\303\\274\')"';
      for (const env of [{}, { NODE_DEBUG: '' }, { NODE_DEBUG: 'fs', ODD: '\u{fffd}', EMPTY: '' }]) {
        const { stdout, stderr } = await execa('sh', ['-c', command, EXECUTABLE, settings], { env });
        expect(JSON.parse(stdout), stderr).to.have.nested.property(
          'path.path_b64',
          Buffer.from('shadow/M\xfcrz/\xc3\xbc', 'latin1').toString('base64'),
        );
      }
      const empty = await execa(EXECUTABLE, ['--config', settings, '--json', 'ls', 'site1', ''], {
        env: { NODE_DEBUG: '' },
        reject: false,
      });
      expect(JSON.parse(empty.stdout)).to.have.nested.property('error.message').that.contains('path is empty');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('obeys no variable of the environment by which Node writes files, loads code or talks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const settings = slowServer(folder);
      await execa(EXECUTABLE, ['--config', settings, 'init']);
      writeFileSync(join(folder, 'code.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'loaded'))}, '')`);
      writeFileSync(join(folder, 'openssl.cnf'), 'broken = [');
      const before = readdirSync(folder).sort();
      const env = {
        NODE_OPTIONS: `--require=${join(folder, 'code.cjs')} --trace-warnings`,
        NODE_V8_COVERAGE: join(folder, 'coverage'),
        NODE_COMPILE_CACHE: join(folder, 'cache'),
        NODE_REDIRECT_WARNINGS: join(folder, 'warnings'),
        NODE_EXTRA_CA_CERTS: join(folder, 'no-certificates'),
        NODE_PATH: folder,
        NODE_DEBUG: 'fs,worker',
        NODE_DEBUG_NATIVE: 'WORKER',
        NODE_PENDING_DEPRECATION: '1',
        NODE_ICU_DATA: folder,
        OPENSSL_CONF: join(folder, 'openssl.cnf'),
      };
      const quiet = await execa(EXECUTABLE, ['--config', settings, '--json', 'run', 'system'], { env });
      expect(JSON.parse(quiet.stdout)).to.include({ status: 'ok' });
      // Of the threads, too, which a run starts.
      expect(quiet.stderr).to.match(/^system.* backup$/);
      const trace = `${folder}.trace`;
      await execa('strace', ['-f', '-e', 'trace=%file', '-o', trace, EXECUTABLE, '--version'], { env, cwd: '/' });
      expect(
        readFileSync(trace, 'utf8')
          .split('\n')
          .filter((line) => line.includes(`${folder}/`)),
      ).to.deep.equal([]);
      expect(
        readdirSync(folder)
          .filter((name) => !['repository', 'state'].includes(name))
          .sort(),
      ).to.deep.equal(before.filter((name) => !['repository', 'state'].includes(name)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('does not start twice for the names of certificates, and hands them to nobody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'executable-'));
    try {
      const settings = slowServer(folder);
      await execa(EXECUTABLE, ['--config', settings, 'init']);
      const programs = async (env: Record<string, string>): Promise<string[]> => {
        const trace = join(folder, 'trace');
        const run = ['-f', '-v', '-s', '1000', '-e', 'trace=execve', '-o', trace, EXECUTABLE, '--config', settings, 'run', 'system'];
        await execa('strace', run, { env: { PATH: process.env.PATH ?? '', ...env }, extendEnv: false });
        return readFileSync(trace, 'utf8')
          .split('\n')
          .filter((line) => line.includes('execve("'));
      };
      const names = { SSL_CERT_FILE: '/a', SSL_CERT_DIR: '/b', NODE_EXTRA_CA_CERTS: '/c' };
      const [first, second, ...others] = await programs(names);
      expect(first).to.contain('SSL_CERT_FILE=/a').and.to.contain('SSL_CERT_DIR=/b').and.to.contain('NODE_EXTRA_CA_CERTS=/c');
      expect(second)
        .to.contain('supervised-run')
        .and.not.to.match(/SSL_|NODE_/);
      expect(others).to.deep.equal([]);
      expect(await programs({ ...names, NODE_DEBUG: '' })).to.have.length(3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('comes with a schema for every message, each with an identifier of its own', () => {
    const files = readdirSync(join(DIST, 'schemas'));
    const expected = Object.keys(MESSAGES).flatMap((method) => [`${method}-request.json`, `${method}-result.json`]);
    const notifications = Object.keys(NOTIFICATIONS).map((name) => `${name}-notification.json`);
    expect(files).to.have.members([...expected, ...notifications, 'settings.json']);
    const schemas = files.map((file) => JSON.parse(readFileSync(join(DIST, 'schemas', file), 'utf8')));
    expect(new Set(schemas.map(({ $id }) => $id)).size).to.equal(files.length);
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
    for (const schema of schemas) {
      expect(schema.$schema).to.equal('https://json-schema.org/draft/2020-12/schema');
      ajv.compile(schema);
    }
  });
});
