import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const FINGERPRINT = `SHA256:${'aB3+/'.repeat(8)}xyz`;
const OK = [{ result: { status: 'ok' } }];

describe('whose backups are meant, in the panel', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());
  beforeEach(() =>
    panel.answer({
      servers: OK,
      adopt: OK,
      join: OK,
      forget: OK,
      list: OK,
      verify: OK,
      ls: OK,
      restore: OK,
      plan: OK,
      fleetStatus: OK,
      start: OK,
    }),
  );

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);

  const CALLS: [string[], string, object][] = [
    [['backup:servers'], 'servers', []],
    [['backup:servers', `[trust:"${FINGERPRINT}"]`], 'servers', { trust: FINGERPRINT }],
    [['backup:adopt', 'old.example.com'], 'adopt', { server: 'old.example.com' }],
    [['backup:adopt', '0123456789abcdef', '[yes:true]'], 'adopt', { server: '0123456789abcdef', yes: true }],
    [['backup:join', 'site12-1f3a9c2e'], 'join', { unit: 'site12-1f3a9c2e' }],
    [['backup:forget', 'site12'], 'forget', { unit: 'site12' }],
    [['backup:forget', 'site12-1f3a9c2e'], 'forget', { unit: 'site12-1f3a9c2e' }],
    [['backup:list', 'site1', '[earlier:true]'], 'list', { unit: 'site1', earlier: true }],
    [['backup:list', 'two.example'], 'list', { unit: 'site2' }],
    [['backup:list', 'site1', '[fromCopy:offsite]'], 'list', { unit: 'site1', fromCopy: 'offsite' }],
    [['backup:ls', 'site1', 'null', '[fromCopy:offsite]'], 'ls', { unit: 'site1', fromCopy: 'offsite' }],
    [['backup:list', 'formerly.example'], 'list', { domain: 'formerly.example' }],
    [['backup:list', 'all', '[server:old.example.com]'], 'list', { server: 'old.example.com' }],
    [['backup:verify', 'site1', '[server:old.example.com]'], 'verify', { unit: 'site1', server: 'old.example.com' }],
    [['backup:ls', 'site1', 'null', '[server:old.example.com]'], 'ls', { unit: 'site1', server: 'old.example.com' }],
    [['backup:fleet-status'], 'fleetStatus', []],
    [
      ['backup:fleet-status', '[repository:"s3:https://s3.example.com/backups/all",overdueAfter:"8 days",sizes:true]'],
      'fleetStatus',
      { repository: 's3:https://s3.example.com/backups/all', overdueAfter: '8 days', sizes: true },
    ],
    [['backup:fleet-status', '[fromCopy:offsite]'], 'fleetStatus', { fromCopy: 'offsite' }],
    [
      [
        'backup:restore',
        'site12',
        'all',
        '[server:old.example.com,onto:two.example,mapUsers:[joe:jane,1012:2044],mapGroups:["1012:2044"]]',
      ],
      'restore',
      { unit: 'site12', server: 'old.example.com', onto: 'site2', mapUsers: ['joe:jane', '1012:2044'], mapGroups: ['1012:2044'] },
    ],
    [['backup:plan', 'site12', 'all', '[onto:site2,mapUsers:"a:b"]'], 'plan', { unit: 'site12', onto: 'site2', mapUsers: ['a:b'] }],
    [['backup:restore', 'site1', 'all', '[earlier:true,to:/root/x]'], 'restore', { unit: 'site1', earlier: true, to: { path: '/root/x' } }],
  ];
  for (const [words, method, params] of CALLS) {
    it(`${words.join(' ')} asks the core for ${method}`, async () => {
      for (const call of [panel.cpcmd, panel.frontend]) expect(await call.call(panel, ...words)).to.include({ stderr: '', exitCode: 0 });
      const isLong = ['verify', 'restore'].includes(method);
      expect(asked()).to.deep.equal([[method, params], isLong ? ['start', { method, request: params, user: 'admin' }] : [method, params]]);
    });
  }

  const REFUSED: [string[], string][] = [
    [['backup:servers', `[trust:${FINGERPRINT}]`], 'bad_option'],
    [['backup:servers', '[trust:"SHA256:short"]'], 'bad_option'],
    [['backup:servers', '[trust:true]'], 'bad_option'],
    [['backup:servers', '[]'], 'bad_option'],
    [['backup:copy', '[]'], 'bad_argument'],
    [['backup:copy', ''], 'bad_argument'],
    [['backup:copy', 'all', '[usb]'], 'bad_option'],
    [['backup:list', 'site1', '[fromCopy:/mnt]'], 'bad_option'],
    [['backup:fleet-status', 'all'], 'bad_option'],
    [['backup:fleet-status', '[repository:]'], 'bad_option'],
    [['backup:fleet-status', '[overdueAfter:]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:all]'], 'site_needed'],
    [['backup:restore', 'site1', 'all', '[onto:nowhere.example]'], 'site_unknown'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:[joe]]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:[0]]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:[joe:]]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:[a:[b:c]]]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:[]]'], 'bad_option'],
    [['backup:restore', 'site1', 'all', '[onto:site2,mapUsers:true]'], 'bad_option'],
    [['backup:download', 'site1', 'all', '[onto:site2]'], 'bad_option'],
    [['-d', 'site1', 'backup:restore', 'all', '[onto:site2]'], 'bad_option'],
    [['-d', 'site1', 'backup:restore', 'all', '[mapUsers:[joe:jane]]'], 'bad_option'],
    [['backup:adopt'], 'bad_argument'],
    [['backup:adopt', 'x', '[sure:true]'], 'bad_option'],
    [['backup:join', 'site12'], 'bad_argument'],
    [['backup:forget', 'all'], 'bad_argument'],
    [['backup:forget', 'example.com'], 'bad_argument'],
  ];
  for (const [words, code] of REFUSED) {
    it(`${words.join(' ')} is refused before the core is asked (${code})`, async () => {
      const { stdout } = await panel.cpcmd('-o', 'json', ...words);
      expect(JSON.parse(stdout)).to.nested.include({ status: 'failed', 'error.code': code });
      expect(asked()).to.deep.equal([]);
    });
  }

  it('says how to trust a key in the words of the panel', async () => {
    const advice = `If you have compared its fingerprint: \`apiscp-backup servers --trust ${FINGERPRINT}\`.`;
    const data = { code: 'repository_damaged', message: 'unknown key', advice };
    panel.answer({ list: [{ error: { code: -32000, message: 'x', data } }] });
    const { stdout } = await panel.cpcmd('-o', 'json', 'backup:list', 'site1');
    const said = JSON.parse(stdout).error.message;
    expect(said).to.contain(`\`cpcmd backup:servers '[trust:"${FINGERPRINT}"]'\``);
    panel.answer({ servers: OK });
    const [, word] = /backup:servers '([^']*)'/.exec(said) as unknown as [string, string];
    await panel.cpcmd('backup:servers', word);
    expect(asked()).to.deep.equal([['servers', { trust: FINGERPRINT }]]);
  });

  for (const words of [
    ['backup:list', 'site1', '[server:x]'],
    ['backup:list', 'site1', '[earlier:true]'],
    ['backup:list', 'site1', '[fromCopy:usb]'],
    ['backup:ls', 'site1', 'null', '[earlier:true]'],
    ['backup:restore', 'all', '[server:x]'],
    ['backup:verify', 'site1', '[server:x]'],
  ]) {
    it(`a site’s administrator cannot mean anything but the own account: ${words.join(' ')}`, async () => {
      const { stdout } = await panel.cpcmd('-d', 'site1', '-o', 'json', ...words);
      expect(JSON.parse(stdout)).to.nested.include({ status: 'failed', 'error.code': 'bad_option' });
      expect(asked()).to.deep.equal([]);
    });
  }
});
