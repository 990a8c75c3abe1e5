import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel, type Note } from '../stand-in-panel/fake-panel.ts';
import { installPhp, PHP_BUILDS, type PhpBuild } from '../stand-in-panel/php-builds.ts';
import { useRealCore } from '../stand-in-panel/real-core.ts';
import { SoapServer } from '../stand-in-panel/soap-server.ts';

/** Who calls what with what: slips and requests of each kind. */
const CALLS: readonly (readonly [site: string | null, command: string, args: readonly unknown[]])[] = [
  [null, 'backup_version', []],
  [null, 'backup_run', ['site1', null]],
  [null, 'backup_run', [null]],
  [null, 'backup_run', [[]]],
  [null, 'backup_list', [null, null]],
  [null, 'backup_restore', ['site1', ['shadow/a', { path_b64: 'c2hhZG93L/8=' }], { at: 'latest', dryRun: 'true', overwrite: 'never' }]],
  [null, 'backup_restore', ['site1', null, []]],
  [null, 'backup_restore', ['site1', ['/var/www'], null]],
  [null, 'backup_restore_database', ['site1', ['mysql/a'], { dryRun: true }]],
  [null, 'backup_prune', ['all', { simulate: '90d' }]],
  [null, 'backup_hold', ['latest', 'why', null, 'site1']],
  [null, 'backup_explain', ['site1', 'shadow/x']],
  [null, 'backup_diff', ['site1', null, null, null, { limit: 3 }]],
  [null, 'backup_adopt', ['old', { yes: true }]],
  [null, 'backup_download', ['site1', 'shadow', { pipe: true, to: '/x' }]],
  [null, 'scope_get', ['backups.exclude']],
  [null, 'scope_set', ['backups.exclude', 'x']],
  [null, 'scope_info', ['backups.limits']],
  [null, 'backup_nosuch', []],
  ['site1', 'backup_list', []],
  ['site1', 'backup_ls', [null, 'shadow/home', { recursive: true }]],
  ['site1', 'backup_restore', [['shadow/x'], { to: '/home/alice/new' }]],
  ['site1', 'backup_restore', [['info/x']]],
  ['site1', 'backup_run', ['site2']],
  ['site1', 'backup_prune', ['all']],
];

/** What is hard to pass on: large numbers, characters that XML does not have, signs of a format, a warning. */
const ANSWER = {
  ...{ status: 'partial', bytes: 5_000_000_000, exact: 140_737_488_355_327, name: 'a\uffff\x1b', unit: 'site1', current: true },
  ...{ snapshots: [{ unit: 'site1', current: true }], warnings: [{ path: 'x', message: '100% %s' }] },
};
const STEPS = [
  { notification: { method: 'log', params: { level: 'info', message: 'm' } } },
  { stderr: 'noise\n' },
  { fillStderr: 20_000 },
  { result: ANSWER },
];
const METHODS = [
  ...['version', 'run', 'list', 'restore', 'restoreDatabase', 'simulate', 'hold', 'explain', 'diff', 'adopt', 'ls'],
  ...['settings.get', 'settings.set', 'start'],
];

interface Ran {
  readonly version: string;
  readonly loaded: Record<string, string[]>;
  // biome-ignore lint/suspicious/noExplicitAny: what commands answered, as this test knows it
  readonly answers: readonly (readonly [command: string, result: any, messages: readonly string[]])[];
  readonly asked: readonly (Note['request'] | undefined)[];
}

/** Makes the calls in the panel by its PHP; nothing may be said of them. */
async function run(panel: FakePanel): Promise<Ran> {
  panel.answer(Object.fromEntries(METHODS.map((method) => [method, STEPS])));
  const program = join(import.meta.dirname, 'fixtures/calls-in-every-php.phps');
  const php = panel.php === undefined ? 'php' : join(panel.php, 'php');
  const { stdout, stderr } = await execa(php, [program, panel.panel.home, JSON.stringify(CALLS)], {
    input: '',
    env: { ...panel.environment },
  });
  expect(stderr).to.equal('');
  const placeless = (text: string) => JSON.parse(text.replaceAll(panel.folder.replaceAll('/', '\\/'), '').replaceAll(panel.folder, ''));
  return { ...placeless(stdout), asked: placeless(JSON.stringify(panel.notes.map(({ request }) => request))) };
}

describe('the module under each PHP that a panel has', () => {
  let here: Ran;
  before(async () => {
    const panel = new FakePanel();
    here = await run(panel);
    panel.remove();
  });

  it('answers here', () => {
    expect(here.version).to.match(/^8\./);
    expect(Object.keys(here.loaded)).to.have.length.above(25);
    const [, restored, nobody, list] = here.answers;
    expect(here.asked.find((request) => request?.method === 'run')?.params).to.deep.equal({ units: ['site1'], level: 'auto' });
    expect(restored?.[2]).to.deep.equal(['Partly done: the result names what is missing and why. The first: site1: x: 100% %s']);
    expect(nobody?.[1].error.code).to.equal('all_needed');
    expect(list?.[1].error.code).to.equal('bad_argument');
  });

  for (const version of Object.keys(PHP_BUILDS) as PhpBuild[]) {
    describe(version, () => {
      let folder: string;
      let panel: FakePanel;
      before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-php-'));
        await installPhp(version, folder);
        panel = new FakePanel();
        panel.php = folder;
      });
      after(() => {
        panel.remove();
        rmSync(folder, { recursive: true, force: true });
      });

      it('loads every file, asks the same and answers the same, without a notice', async () => {
        const there = await run(panel);
        expect(there.version.startsWith(`${version}.`)).to.equal(true);
        expect(there.loaded).to.deep.equal(here.loaded);
        expect(there.answers).to.deep.equal(here.answers);
        expect(there.asked).to.deep.equal(here.asked);
      });

      it('serves SOAP, as the client and as the server', async () => {
        panel.answer({ ls: [{ result: ANSWER }], start: [{ result: { job: '20261126T012345678Z-1f3a9c2e', state: 'waiting' } }] });
        const soap = await SoapServer.start(panel, { aa01: null });
        try {
          const [ls, slip, download] = await soap.client({
            ...{ key: 'aa01', mapping: 'any' },
            calls: [
              ['backup_ls', ['site1', 'shadow', { limit: 2 }]],
              ['backup_ls', ['site1', [], null]],
              ['backup_download', ['site1', 'shadow/x', { pipe: true }]],
            ],
          });
          expect(ls?.result).to.include({ bytes: 5_000_000_000, exact: '140737488355327' });
          expect(slip?.result.error.code).to.equal('bad_argument');
          expect(download?.result.pipe).to.match(/^\/tmp\/id-site1-[0-9a-f]{32}$/);
          rmSync(download?.result.pipe);
          expect(panel.notes.map(({ request }) => request.method)).to.deep.equal(['ls', 'start']);
        } finally {
          await soap.stop();
        }
        const running = async () => (await execa('pgrep', ['-f', folder], { reject: false })).stdout;
        for (let tries = 0; (await running()) !== '' && tries < 200; tries++) await sleep(10);
        expect(await running()).to.equal('');
      });

      it('backs up and restores with the real core', async () => {
        useRealCore(panel);
        const page = join(panel.accounts, 'site1/shadow/page');
        writeFileSync(page, 'good');
        const each = ['backup:init', ';', 'backup:run', 'site1', ';', 'backup:restore', 'site1', '[shadow/page]'];
        const begun = await panel.cpcmd('-o', 'json', ...each.slice(0, 4));
        writeFileSync(page, 'bad');
        const { stdout, stderr } = await panel.cpcmd('-o', 'json', ...each.slice(5));
        expect([begun.stderr, stderr]).to.deep.equal(['', '']);
        expect(begun.stdout.split('\n').map((line) => JSON.parse(line))[1]).to.include({ status: 'ok' });
        expect(JSON.parse(stdout)).to.include({ status: 'ok', written: 1 });
        expect(readFileSync(page, 'utf8')).to.equal('good');
      });
    });
  }
});
