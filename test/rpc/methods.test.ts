import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MESSAGES } from '../../core/schemas/messages.ts';
import { validateSettingsGetResult, validateVersionResult } from '../commands/results.generated.js';
import { jsonLines, runProgram } from '../program.ts';

async function ask(requests: readonly object[], settingsFile: string): Promise<Record<string, unknown>[]> {
  const input = requests.map((request, index) => `${JSON.stringify({ jsonrpc: '2.0', id: index, ...request })}\n`).join('');
  const { stdout, exitCode } = await runProgram(['rpc', '--config', settingsFile], { input });
  expect(exitCode).to.equal(0);
  return jsonLines(stdout);
}

describe('the methods over JSON-RPC', () => {
  let folder: string;
  let settingsFile: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rpc-methods-'));
    settingsFile = join(folder, 'config.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are named by version', async () => {
    const [answer] = await ask([{ method: 'version' }], settingsFile);
    expect(answer?.result).to.have.deep.property('methods', Object.keys(MESSAGES));
    expect(validateVersionResult(answer?.result)).to.equal(true);
  });

  it('that do not exist are refused, with those that do', async () => {
    for (const method of ['', 'Run', 'constructor', '__proto__', 'toString']) {
      const [answer] = await ask([{ method }], settingsFile);
      expect(answer).to.have.nested.property('error.code', -32601);
    }
  });

  it('refuse wrong params with the place of the offending value', async () => {
    const cases: [string, unknown, string][] = [
      ['run', { units: ['site1', 'site01'] }, '/units/1'],
      ['run', { units: ['site1', '../etc'] }, '/units/1'],
      ['run', { level: 'yearly' }, '/level'],
      ['run', { unit: 'site1' }, '/unit'],
      ['run', [], ''],
      ['restore', {}, '/unit'],
      ['restore', { unit: 'site1', paths: [] }, '/paths'],
      ['prune', { units: [] }, '/units'],
      ['restore', { unit: 'site1', paths: ['a', { path: 'b', path_b64: '!' }] }, '/paths/1'],
      ['restore', { unit: 'site1', 'a/b~c': 1 }, '/a~1b~0c'],
      ['restore', { unit: 'site1', overwrite: 'maybe' }, '/overwrite'],
      ['verify', { unit: 7 }, '/unit'],
      ['settings.set', { name: 'repository' }, '/value'],
    ];
    const answers = await ask(
      cases.map(([method, params]) => ({ method, params })),
      settingsFile,
    );
    for (const [index, [method, params, path]] of cases.entries()) {
      const error = answers[index]?.error as { code: number; data: { path: string } };
      expect(error.code, method).to.equal(-32602);
      expect(error.data.path.startsWith(path), `${method} ${JSON.stringify(params)}: ${error.data.path}`).to.equal(true);
    }
  });

  it('take no empty list, which may be what is left of one, and would mean everything or nobody', () => {
    const lists = Object.entries(MESSAGES).flatMap(([method, { request }]) =>
      Object.entries(request.properties as Record<string, { readonly type?: string; readonly minItems?: number }>)
        // That a panel shows none of our Scopes is what doctor has to hear.
        .filter(([name, { type }]) => type === 'array' && name !== 'scopes')
        .map(([name, { minItems }]) => [`${method}.${name}`, minItems] as const),
    );
    expect(lists.map(([name]) => name)).to.include.members([
      'run.units',
      'prune.units',
      'copy.copies',
      'init.recipients',
      'download.paths',
    ]);
    for (const [name, least] of lists) expect(least, name).to.equal(1);
  });

  it('read and write settings, and a refused value changes nothing', async () => {
    const set = (value: unknown): object => ({ method: 'settings.set', params: { name: 'repository', value } });
    const get = { method: 'settings.get', params: { name: 'repository' } };
    const answers = await ask([get, set('/srv/backups'), get, set('not absolute'), get], settingsFile);
    const results = answers.map(({ result }) => result as { value: unknown; default: unknown });
    expect(validateSettingsGetResult(results[0])).to.equal(true);
    expect(results[0]?.value).to.equal(results[0]?.default);
    expect(results[1]?.value).to.equal('/srv/backups');
    expect(results[2]?.value).to.equal('/srv/backups');
    expect(answers[3]).to.have.nested.property('error.data.code', 'usage');
    expect(results[4]?.value).to.equal('/srv/backups');
    expect(JSON.parse(readFileSync(settingsFile, 'utf8'))).to.deep.equal({ repository: '/srv/backups' });
    const [reset] = await ask([set(null)], settingsFile);
    expect(reset?.result).to.have.property('value', results[0]?.default);
  });

  it('refuse a setting that does not exist', async () => {
    const [answer] = await ask([{ method: 'settings.get', params: { name: 'constructor' } }], settingsFile);
    expect(answer).to.have.nested.property('error.data.code', 'usage');
  });
});
