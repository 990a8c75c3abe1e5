import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const ID = '20261120T024500000Z-1f3a9c2e';
const OK = [{ result: { status: 'ok' } }];

describe('prune, hold, release and explain in the panel', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());
  beforeEach(() => panel.answer({ prune: OK, copy: OK, simulate: OK, hold: OK, release: OK, explain: OK, start: OK }));

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);

  const CALLS: [string[], string, object][] = [
    [['backup:prune', 'all', '[dryRun:true]'], 'prune', { dryRun: true }],
    [['backup:prune', 'one.example', '[yes:1]'], 'prune', { units: ['site1'], yes: true }],
    [['backup:prune', 'all', '[acceptMissing:true]'], 'prune', { acceptMissing: true }],
    [['backup:prune', 'site2', '[simulate:90d]'], 'simulate', { units: ['site2'], duration: '90d' }],
    [['backup:prune', 'all', '[simulate:90d,fromCopy:usb]'], 'simulate', { duration: '90d', fromCopy: 'usb' }],
    [['backup:copy', 'offsite'], 'copy', { copies: ['offsite'] }],
    [['backup:copy', 'all'], 'copy', []],
    [['backup:copy'], 'copy', []],
    [['backup:hold', ID, 'court order'], 'hold', { snapshot: ID, reason: 'court order' }],
    [['backup:hold', ID, 'court order', '6 months'], 'hold', { snapshot: ID, reason: 'court order', until: '6 months' }],
    [['backup:hold', 'latest', 'why', 'null', 'one.example'], 'hold', { snapshot: 'latest', unit: 'site1', reason: 'why' }],
    [['backup:release', ID], 'release', { snapshot: ID }],
    [['backup:release', "'yesterday 14:00'", 'site2'], 'release', { snapshot: 'yesterday 14:00', unit: 'site2' }],
    [['backup:explain', 'site1', 'shadow/var'], 'explain', { unit: 'site1', path: { path: 'shadow/var' } }],
    [['backup:explain', 'system', '[path_b64:/w==]'], 'explain', { unit: 'system', path: { path: '\ufffd', path_b64: '/w==' } }],
  ];
  for (const [words, method, params] of CALLS) {
    it(`${words.join(' ')} asks the core for ${method}`, async () => {
      for (const call of [panel.cpcmd, panel.frontend]) expect(await call.call(panel, ...words)).to.include({ stderr: '', exitCode: 0 });
      const isLong = method === 'copy' || (method === 'prune' && !('dryRun' in params));
      const [direct, hopped] = asked();
      expect(direct).to.deep.equal([method, params]);
      expect(hopped).to.deep.equal(isLong ? ['start', { method, request: params, user: 'admin' }] : [method, params]);
    });
  }

  const REFUSED: [string[], string][] = [
    [['backup:prune', 'all', '[dry:true]'], 'bad_option'],
    [['backup:prune', 'all', '[dryRun:maybe]'], 'bad_option'],
    [['backup:prune', 'all', '[yes]'], 'bad_option'],
    [['backup:prune', 'all', '[simulate:90d,yes:true]'], 'bad_option'],
    [['backup:prune', 'all', '[simulate:[a]]'], 'bad_option'],
    [['backup:copy', '../x'], 'bad_argument'],
    [['backup:copy', 'offsite', '[yes:true]'], 'bad_option'],
    [['backup:prune'], 'all_needed'],
    [['backup:prune', "''"], 'all_needed'],
    [['backup:prune', 'null'], 'all_needed'],
    [['backup:prune', 'false'], 'bad_argument'],
    [['backup:prune', 'nobody.example'], 'site_unknown'],
    [['backup:explain', 'all', 'shadow'], 'site_needed'],
    [['backup:explain', 'site1', 'shadow/../../x'], 'bad_path'],
  ];
  for (const [words, code] of REFUSED) {
    it(`${words.join(' ')} is refused before the core is asked (${code})`, async () => {
      const { stdout } = await panel.cpcmd('-o', 'json', ...words);
      expect(JSON.parse(stdout)).to.nested.include({ status: 'failed', 'error.code': code });
      expect(asked()).to.deep.equal([]);
    });
  }

  it('says when a guard stopped a prune', async () => {
    const error = { code: -32000, message: 'm', data: { code: 'retention_guard', message: '9 of 10 snapshots would be deleted' } };
    panel.answer({ prune: [{ error }] });
    const { stderr, exitCode } = await panel.cpcmd('backup:prune', 'all');
    expect(stderr).to.contain('A safety rule of retention stopped the deletion: 9 of 10 snapshots would be deleted');
    expect(exitCode).to.equal(1);
  });
});
