import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';
import { SoapServer } from '../stand-in-panel/soap-server.ts';

const ADMIN = 'aa01';
const SITE = 'bb02';
const KEYS = { [ADMIN]: null, [SITE]: 'site1' };
const MAPPINGS = ['any', 'map', 'struct', 'historic', 'array', 'string'];

const PATHS = ['shadow/home/joe', 'shadow/a,b: [c]'];
const OPTIONS = { at: 'yesterday 14:00', overwrite: 'never', dryRun: true };
const LIST =
  '<backup_list xmlns="urn:net.apnscp.api"><site xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"/></backup_list>';
const RESTORED = { paths: PATHS.map((path) => ({ path })), ...OPTIONS };
const ANSWER = {
  status: 'ok',
  unit: 'site1',
  current: true,
  bytes: 5_000_000_000,
  exact: 140_737_488_355_327,
  names: ['\ufffe', 'a\uffffb'],
};

describe('the module over SOAP', () => {
  let panel: FakePanel;
  let soap: SoapServer;
  before(async () => {
    panel = new FakePanel();
    soap = await SoapServer.start(panel, KEYS);
  });
  after(async () => {
    await soap.stop();
    panel.remove();
  });

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);
  const answerOk = () => {
    const steps = [{ result: ANSWER }];
    panel.answer({
      restore: steps,
      list: [{ result: { snapshots: [] } }],
      run: steps,
      start: [{ result: { job: '20261126T012345678Z-1f3a9c2e', state: 'waiting' } }],
      ls: [{ result: ANSWER }],
      version: [{ result: { version: '9' } }],
    });
  };
  beforeEach(answerOk);

  it('takes no key but its own', async () => {
    expect((await soap.client({ key: 'nobody', mapping: 'any', calls: [['backup_version', []]] }))[0]?.fault).to.equal('invalid key');
    expect((await soap.client({ key: SITE, mapping: 'any', calls: [['backup_status', []]] }))[0]?.result).to.equal(false);
    expect(asked()).to.deep.equal([]);
  });

  for (const mapping of [undefined, ...MAPPINGS]) {
    it(`carries arguments and answers ${mapping === undefined ? 'without a WSDL' : `with the mapping ${mapping}`}`, async () => {
      const [restored, listed, own] = await soap.client({
        key: ADMIN,
        ...(mapping !== undefined && { mapping }),
        calls: [
          ['backup_restore', ['site1', PATHS, OPTIONS]],
          // PHP's server refuses a call without any argument from a client that has no WSDL.
          ['backup_list', mapping === undefined ? [null] : []],
          ['backup_restore', ['site1', 'all', { to: '/root/x' }]],
        ],
      });
      if (mapping === 'string') {
        // What arrives of a list is the text `Array`; nothing is guessed from that.
        for (const answer of [restored, own]) expect(answer?.result.error.code).to.match(/^bad_/);
        expect(asked()).to.deep.equal([['list', []]]);
        return;
      }
      expect(asked()).to.deep.equal([
        ['restore', { unit: 'site1', ...RESTORED }],
        ['list', []],
        ['start', { method: 'restore', request: { unit: 'site1', to: { path: '/root/x' } }, user: 'admin' }],
      ]);
      expect(own?.result).to.include({ state: 'waiting' });
      expect(restored?.result).to.include({ status: 'ok', bytes: 5_000_000_000, exact: '140737488355327' });
      expect(restored?.result.names_b64.map((text: string) => Buffer.from(text, 'base64').toString())).to.deep.equal(ANSWER.names);
      expect(listed?.result).to.deep.equal({ snapshots: [] });
    });

    it(`means the default by what a site leaves out ${mapping === undefined ? 'without a WSDL' : `with the mapping ${mapping}`}`, async () => {
      const [first, second] = await soap.client({
        key: SITE,
        ...(mapping !== undefined && { mapping }),
        calls: [
          ['backup_ls', [null, 'shadow/home']],
          ['backup_restore', ['shadow/home/alice']],
        ],
      });
      expect([first?.fault, second?.fault]).to.deep.equal([undefined, undefined]);
      const [ls, restore] = asked();
      expect(ls).to.deep.equal(['ls', { unit: 'site1', policy: 'owner', folder: { path: 'shadow/home' } }]);
      const request = { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/home/alice' }] };
      expect(restore).to.deep.equal(['start', { method: 'restore', request, user: 'alice' }]);
    });
  }

  /** Shapes in which a client may send that it has no paths, or options of which one was meant to keep the call harmless. */
  const LOST: readonly unknown[] = [[], {}, '', [[]], [{}], [null], [''], { x: null }, { dryRun: null }, { dryRun: '' }, { dryRun: [] }];

  for (const mapping of [undefined, ...MAPPINGS]) {
    it(`has names that look like numbers as they are ${mapping === undefined ? 'without a WSDL' : `with the mapping ${mapping}`}`, async () => {
      const steps = [{ result: { status: 'ok' } }];
      panel.answer({ hold: steps, copy: steps, job: steps, explain: steps });
      const calls: [string, unknown[]][] = [
        ['backup_hold', ['007', '1e3', '00123', 'site1']],
        ['backup_hold', ['0x1', '-0', '+5', 'site2']],
        ['backup_copy', ['007', null]],
        ['backup_job', ['0001e3']],
        ['backup_explain', ['site1', '1.0']],
      ];
      const answers = await soap.client({ key: ADMIN, ...(mapping !== undefined && { mapping }), calls });
      expect(answers.map(({ fault }) => fault).filter((fault) => fault !== undefined)).to.deep.equal([]);
      expect(asked()).to.deep.equal([
        ['hold', { snapshot: '007', unit: 'site1', reason: '1e3', until: '00123' }],
        ['hold', { snapshot: '0x1', unit: 'site2', reason: '-0', until: '+5' }],
        ['start', { method: 'copy', request: { copies: ['007'] }, user: 'admin' }],
        ['job', { job: '0001e3' }],
        ['explain', { unit: 'site1', path: { path: '1.0' } }],
      ]);
    });

    it(`does no more than was meant when something arrives empty ${mapping === undefined ? 'without a WSDL' : `with the mapping ${mapping}`}`, async () => {
      const calls: [string, unknown[]][] = LOST.flatMap((lost) => [
        ['backup_restore', ['site1', lost, { dryRun: true }]],
        ['backup_restore', ['site1', 'shadow/x', lost]],
        ['backup_download', ['site1', lost, null]],
        ['backup_prune', ['site1', lost]],
        ['backup_copy', [lost, null]],
        ['backup_run', [lost, null]],
      ]);
      const answers = await soap.client({ key: ADMIN, ...(mapping !== undefined && { mapping }), calls });
      for (const [at, { fault, result }] of answers.entries()) {
        const said = `${JSON.stringify(calls[at])}: ${fault ?? JSON.stringify(result)}`;
        expect(said).to.not.match(/TypeError|must be of|ArgumentCount|Stack trace|"internal"/);
        expect(fault !== undefined || result?.status === 'failed', said).to.equal(true);
      }
      expect(asked()).to.deep.equal([]);
    });
  }

  it('stands whole in each WSDL that reflection makes: every command with its parameters, which take anything, and a map as the answer', async () => {
    const info = JSON.parse((await panel.cpcmd('-o', 'json', 'misc:command-info', 'backup:*')).stdout) as Record<string, { max: number }>;
    for (const mapping of MAPPINGS) {
      const wsdl = await (await fetch(`${soap.url}/apnscp-${mapping}.wsdl`)).text();
      const messages = new Map(
        [...wsdl.matchAll(/<message name="(backup_\w+)">(.*?)<\/message>/g)].map(([, name, parts]) => [name, parts!]),
      );
      const operations = [...wsdl.matchAll(/<operation name="(backup_\w+)"><input message/g)].map(([, name]) => name!);
      expect(operations.sort(), mapping).to.deep.equal(
        Object.keys(info)
          .map((name) => name.replace(':', '_'))
          .sort(),
      );
      const types = (kind: string) =>
        new Set(operations.flatMap((name) => [...messages.get(name + kind)!.matchAll(/type="([^"]+)"/g)].map(([, type]) => type)));
      for (const [name, { max }] of Object.entries(info))
        expect(messages.get(`${name.replace(':', '_')}Request`)!.match(/<part /g) ?? [], name).to.have.length(max);
      // No native type: one that does not fit would be PHP's to refuse, not ours.
      expect([...types('Request')], mapping).to.deep.equal([mapping === 'string' ? 'xsd:string' : 'xsd:anyType']);
      expect(types('Response').size, mapping).to.equal(1);
    }
  });

  it('understands an envelope that somebody wrote by hand', async () => {
    const call =
      '<backup_restore xmlns="urn:net.apnscp.api"><site>site1</site><paths>shadow/x</paths><options><dryRun>true</dryRun></options></backup_restore>';
    expect(await soap.post(ADMIN, call))
      .to.contain('backup_restoreResponse')
      .and.to.contain('>ok<');
    expect(asked()).to.deep.equal([['restore', { unit: 'site1', paths: [{ path: 'shadow/x' }], dryRun: true }]]);
    const empty = '<backup_restore xmlns="urn:net.apnscp.api"><site>site1</site><paths>shadow/x</paths><options/></backup_restore>';
    expect(await soap.post(ADMIN, empty)).to.contain('bad_option');
    expect(asked()).to.have.length(1);
  });

  it('says the first cause in the fault of a client that aborts on errors, and is asked once', async () => {
    const connector = { key: ADMIN, mapping: 'any', headers: 'Abort-On: error', repeat: true };
    panel.answer({
      run: [
        {
          result: {
            status: 'failed',
            units: [{ unit: 'site1', status: 'failed', error: { code: 'disk_full', message: 'the disk is full' } }],
          },
        },
      ],
      verify: [{ result: { status: 'damaged', damages: [{ object: 'packs/x', message: 'is cut' }] } }],
      list: [{ error: { code: -32000, message: 'm', data: { code: 'locked', message: 'since 12:00' } } }],
      restore: [{ result: { status: 'partial', warnings: [{ path: 'shadow/x', message: 'm' }] } }],
      start: [{ error: { code: -32000, message: 'm', data: { code: 'too_many_jobs', message: '40 jobs wait', retry: true } } }],
    });
    const answers = await soap.client({
      ...connector,
      calls: [
        ['backup_run', ['all', null, { background: false }]],
        ['backup_verify', ['all', { background: false }]],
        ['backup_list', []],
        ['backup_restore', ['site1', 'shadow/x', { background: false }]],
        ['backup_run', []],
        ['backup_run', ['site2']],
      ],
    });
    const [run, verify, list, restore, slip, job] = answers;
    expect(run?.fault).to.contain('site1: the disk is full');
    expect(verify?.fault).to.contain('packs/x: is cut');
    expect(list?.fault).to.contain('since 12:00');
    expect(restore?.result.status).to.equal('partial');
    expect(slip?.fault).to.contain("`all'");
    expect(job?.fault).to.contain('40 jobs wait');
    expect(asked().map(([method]) => method)).to.deep.equal(['run', 'verify', 'list', 'restore', 'start']);
  });

  it('answers ten callers at once, each its own', async () => {
    panel.answer({
      list: [{ wait: 100 }, { result: { snapshots: [] } }],
      ls: [{ error: { code: -32000, message: 'x', data: { code: 'locked', message: 'm' } } }],
    });
    const calls = Array.from({ length: 10 }, (_, at) =>
      at % 2 === 0 ? soap.post(ADMIN, LIST) : soap.post(SITE, '<backup_ls xmlns="urn:net.apnscp.api"><folder>shadow</folder></backup_ls>'),
    );
    for (const [at, answer] of (await Promise.all(calls)).entries()) expect(answer).to.contain(at % 2 === 0 ? 'snapshots' : 'locked');
    expect(asked()).to.have.length(10);
  });

  it('goes on when a caller hangs up, and leaves no program behind', async () => {
    panel.answer({ list: [{ wait: 400 }, { result: { snapshots: [] } }], version: [{ result: { version: '9' } }] });
    const gone = new AbortController();
    const call = soap.post(ADMIN, LIST, { signal: gone.signal });
    for (let tries = 0; panel.notes.length === 0 && tries < 500; tries++) await sleep(10);
    gone.abort();
    await call.catch((error: Error) => expect(error.name).to.equal('AbortError'));
    expect(await soap.post(ADMIN, '<backup_version xmlns="urn:net.apnscp.api"/>')).to.contain('>9<');
    const [{ process: core }] = panel.notes as unknown as [{ process: number }];
    const isRunning = () => existsSync(`/proc/${core}`) && !readFileSync(`/proc/${core}/stat`, 'utf8').includes(') Z');
    for (let tries = 0; isRunning() && tries < 500; tries++) await sleep(10);
    expect(isRunning()).to.equal(false);
  });
});
