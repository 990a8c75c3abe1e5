import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { execa } from 'execa';
import { getAttributeSync, setAttributeSync } from 'fs-xattr';
import { MESSAGES, NOTIFICATIONS } from '../../core/commands/schemas/messages.ts';
import { PROGRAM } from '../../core/version.ts';
import { jsonLines, ROOT } from '../program.ts';

const DIST = join(ROOT, 'dist');
const EXECUTABLE = join(DIST, 'apiscp-backup');
const VERSION_REQUEST = '{"jsonrpc":"2.0","id":1,"method":"version"}\n';

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
