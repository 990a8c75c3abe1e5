import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const METHODS = ['run', 'restore', 'list', 'verify', 'version'];

describe('results of the module', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  it('pass through as they are, and silently when all went well', async () => {
    const result = {
      status: 'ok',
      units: [{ unit: 'site1', status: 'unchanged', snapshot: null, warnings: [] }],
      n: 2_147_483_647,
      x: -0.5,
      ok: true,
    };
    panel.answer({ run: [{ result }] });
    const { stdout, stderr, exitCode } = await panel.cpcmd('-o', 'json', 'backup:run', 'all');
    expect(JSON.parse(stdout)).to.deep.equal(result);
    expect({ stderr, exitCode }).to.deep.equal({ stderr: '', exitCode: 0 });
  });

  it('are fit for SOAP and a terminal: no control characters, no integers beyond 32 bits', async () => {
    panel.answer({
      list: [
        { result: { bytes: 5_000_000_000, path: 'a\u0001\u001b[0mb', files: ['\u0007'], nested: { path: 'x\ufffd', path_b64: 'eP8=' } } },
      ],
    });
    const { stdout } = await panel.cpcmd('-o', 'json', 'backup:list');
    expect(JSON.parse(stdout)).to.deep.equal({
      bytes: 5_000_000_000,
      path: 'a\\x01\\x1B[0mb',
      path_b64: Buffer.from('a\u0001\u001b[0mb').toString('base64'),
      files: ['\\x07'],
      files_b64: ['Bw=='],
      nested: { path: 'x\ufffd', path_b64: 'eP8=' },
    });
    expect(stdout).to.contain('5000000000.0');
    expect((await panel.cpcmd('-o', 'serialize', 'backup:list')).stdout).to.contain('d:5000000000;');
  });

  it('say once that something is missing, however much that is', async () => {
    const warnings = Array.from({ length: 50 }, (_, i) => ({ code: 'vanished', message: `file ${i}` }));
    panel.answer({ run: [{ result: { status: 'partial', units: [{ unit: 'site1', status: 'partial', warnings }] } }] });
    const { stdout, stderr, exitCode } = await panel.cpcmd('-o', 'json', 'backup:run', 'all');
    expect(JSON.parse(stdout).units[0].warnings).to.have.length(50);
    expect(stderr.match(/^(WARNING|ERROR): /gm)).to.deep.equal(['WARNING: ']);
    expect(exitCode).to.equal(0);
  });

  it('say first what is wrong, wherever a result has it', async () => {
    const unit = { unit: 'site1', warnings: 2, snapshot: 'x' };
    const problem = { code: 'overdue', unit: 'site1', message: 'its backup is overdue', advice: 'x' };
    const SAID: [string, object, string][] = [
      ['status', { status: 'partial', units: [unit], problems: [problem] }, 'The first: site1: its backup is overdue'],
      ['status', { status: 'partial', problems: [{ ...problem, unit: null }], units: [] }, 'The first: its backup is overdue'],
      [
        'status',
        { status: 'damaged', units: [unit], problems: [problem, { ...problem, code: 'damaged' }] },
        'repository: 1. The first: site1:',
      ],
      [
        'doctor',
        {
          status: 'partial',
          checks: [
            { check: 'a', result: 'ok' },
            { check: 'space', result: 'warning', message: 'full' },
          ],
        },
        'space: full',
      ],
      [
        'doctor',
        { status: 'failed', checks: [{ check: 'schedule', result: 'problem', message: 'no timer' }] },
        'ERROR: Something that backups need is wrong: the result says what to do. The first: schedule: no timer',
      ],
      [
        'list',
        { status: 'damaged', snapshots: [], unusable: [{ object: 'o.json', message: 'is cut' }] },
        'repository: 1. The first: o.json: is cut',
      ],
      [
        'copy',
        { status: 'failed', copies: [{ name: 'usb', status: 'failed', error: { message: 'no disk' }, problems: [] }] },
        'usb: no disk',
      ],
      ['copy', { status: 'partial', copies: [{ name: 'usb', status: 'partial', error: null, problems: [{ message: 'm' }] }] }, 'usb: m'],
      [
        'fleet_status',
        { status: 'failed', servers: [{ name: 'a', status: 'failed', error: { message: 'no answer' }, problems: [] }] },
        'a: no answer',
      ],
      [
        'fleet_status',
        {
          status: 'partial',
          servers: [
            { name: 'a', error: null, problems: [] },
            { name: 'b', error: null, problems: [problem] },
          ],
        },
        'b: its',
      ],
      [
        'fleet_status',
        {
          status: 'damaged',
          servers: [
            { name: 'a', status: 'partial', error: null, problems: [problem] },
            { name: 'b', status: 'damaged', error: null, problems: [problem, { ...problem, code: 'damaged', message: 'found damage' }] },
            { name: 'c', status: 'damaged', error: { message: 'is no record' }, problems: [] },
          ],
        },
        'repository: 2. The first: b: site1: found damage',
      ],
      [
        'run',
        {
          status: 'partial',
          units: [{ unit: 'site1', status: 'ok', warnings: [] }],
          databaseExport: { result: 'failed', error: { message: 'no dumps' } },
        },
        "The first: the panel's export of databases: no dumps",
      ],
      [
        'databases',
        {
          ...{ status: 'partial', unit: 'site1', current: true, warnings: [{ code: 'c', message: 'a record is cut' }] },
          databases: [
            { name: 'a', path: 'databases/mysql/a.sql', result: 'failed', error: { code: 'c', message: 'gone long ago' } },
            { name: 'b', path: 'databases/mysql/b.sql', result: 'ok', error: null, leftOut: ['view v: gone'] },
          ],
        },
        'The first: site1: a record is cut',
      ],
      [
        'restoreDatabase',
        {
          status: 'partial',
          unit: 'site1',
          databases: [
            { name: 'a', error: null, leftOut: [] },
            { name: 'b', error: null, leftOut: ['view v: gone'] },
          ],
        },
        'The first: b: view v: gone',
      ],
      ['restoreDatabase', { status: 'partial', unit: 'site1', databases: [], notes: ['a run is missing'] }, 'The first: a run is missing'],
      ['restoreDatabase', { status: 'failed', unit: 'site1', databases: [{ name: 'a', error: { message: 'busy' } }] }, 'a: busy'],
    ];
    for (const [method, result, said] of SAID) {
      panel.answer({ [method.replace('_s', 'S')]: [{ result }] });
      const command =
        method === 'restoreDatabase'
          ? ['backup:restore-database', 'site1', '[mysql/a]']
          : [`backup:${method}`, ...(method === 'databases' ? ['site1'] : []), ...(['run', 'copy'].includes(method) ? ['all'] : [])];
      expect((await panel.cpcmd(...command)).stderr, method).to.contain(said);
    }
  });

  it('are not cut short for callers that abort on the first error, unless nothing was done', async () => {
    panel.answer({
      run: [{ result: { status: 'partial', units: [] } }],
      verify: [{ result: { status: 'damaged', damages: [{ object: 'packs/a', message: 'cut short' }, {}] } }],
    });
    const partial = await panel.frontend('--abort-on-error', '-o', 'json', 'backup:run', 'all', 'null', '[background:false]');
    expect(JSON.parse(partial.stdout).status).to.equal('partial');
    const damaged = await panel.frontend('--abort-on-error', 'backup:verify', 'all', '[background:false]');
    expect(damaged).to.include({ stdout: '', exitCode: 2 });
    expect(damaged.stderr).to.contain('FAULT: Damaged objects in the repository: 2. The first: packs/a: cut short');
  });

  it('report a run in which nothing was completed', async () => {
    const units = [{ unit: 'site1', status: 'failed', error: { message: 'no room' } }];
    panel.answer({ run: [{ result: { status: 'failed', units } }] });
    const { stderr, exitCode } = await panel.cpcmd('backup:run', 'all');
    expect(stderr).to.contain('ERROR: Nothing was completed').and.to.contain('The first: site1: no room');
    expect(exitCode).to.equal(1);
  });

  it('are never null, also when the panel loses its worker in the middle', async () => {
    for (const method of METHODS) {
      panel.answer({ [method]: [{ killParent: true }], start: [{ killParent: true }] });
      const { stdout, stderr, exitCode } = await panel.frontend(
        '-o',
        'json',
        `backup:${method}`,
        ...(['restore', 'run', 'verify'].includes(method) ? ['site1'] : []),
        ...(method === 'restore' ? ['all'] : []),
      );
      expect(panel.notes, method).to.have.length(1);
      expect(JSON.parse(stdout)).to.nested.include({ 'error.code': 'worker_lost', 'error.retry': true, status: 'failed' });
      expect(stderr).to.contain(`before it answered \`backup_${method}'`);
      expect(exitCode).to.equal(1);
    }
  });

  it('are the same over the hop as without it, messages too', async () => {
    panel.answer({ list: [{ error: { code: -32000, message: 'm', data: { code: 'repository_missing', message: '/x' } } }] });
    const [direct, hopped] = [
      await panel.cpcmd('-o', 'json', 'backup:list', 'site1'),
      await panel.frontend('-o', 'json', 'backup:list', 'site1'),
    ];
    expect(hopped.stdout).to.equal(direct.stdout);
    expect(hopped.stderr).to.equal(direct.stderr).and.to.contain('There is no backup repository: /x');
  });

  it('name the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    panel.answer({ version: [{ result: { version } }] });
    expect(JSON.parse((await panel.cpcmd('-o', 'json', 'backup:version')).stdout).module).to.equal(version);
  });
});
