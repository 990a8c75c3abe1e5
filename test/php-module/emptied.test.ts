import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';
import { GRAMMARS } from '../stand-in-panel/grammars.ts';

type Params = Readonly<Record<string, unknown>>;

/** A command with a word in each place, and what reaches the core when it ends before a place; `refused` where nothing may reach it. */
interface Row {
  readonly as?: string;
  readonly method: string;
  readonly words: readonly string[];
  readonly ends: readonly (Params | 'refused')[];
  /** What reaches the core when a word is gone and the others move up, by its place. Else it is refused. */
  readonly gone?: Readonly<Record<number, Params>>;
  /** The place of a folder, which an empty text names as the top, and what reaches the core then. */
  readonly top?: readonly [place: number, reaches: Params];
}

const SITE = { unit: 'site1' };
const OWN = { unit: 'site1', policy: 'owner' };
const SHADOW = { path: 'shadow' };
const JOB = '20261120T024500000Z-1f3a9c2e';

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  init: [{ method: 'init', words: ['[serverCanRead:true]'], ends: [{}] }],
  keys: [{ method: 'keys', words: ['[plain:true]'], ends: [{}] }],
  run: [
    {
      method: 'run',
      words: ['site1', 'incremental', '[background:false]'],
      ends: ['refused', { units: ['site1'], level: 'auto' }, { units: ['site1'], level: 'incremental' }],
    },
    {
      as: 'site1',
      method: 'run',
      words: ['null', 'incremental'],
      ends: [
        { units: ['site1'], policy: 'owner' },
        { units: ['site1'], policy: 'owner' },
      ],
    },
  ],
  restore: [
    {
      method: 'restore',
      words: ['site1', '[shadow/x]', '[overwrite:never]'],
      ends: ['refused', 'refused', { ...SITE, paths: [{ path: 'shadow/x' }] }],
    },
    {
      method: 'restore',
      words: ['site1', 'all', '[to:/root/x]'],
      ends: ['refused', 'refused', SITE],
    },
    {
      as: 'site1',
      method: 'restore',
      words: ['[shadow/x]', '[dryRun:true]'],
      ends: ['refused', { ...OWN, paths: [{ path: 'shadow/x' }] }],
    },
    {
      as: 'site1',
      method: 'restore',
      words: ['all', '[to:/home/alice/x]'],
      ends: ['refused', { ...OWN, paths: [SHADOW] }],
    },
  ],
  'restore-database': [
    {
      method: 'restoreDatabase',
      words: ['site1', '[mysql/x]', '[dryRun:true]'],
      ends: ['refused', 'refused', { ...SITE, databases: ['mysql/x'] }],
    },
    { as: 'site1', method: 'restoreDatabase', words: ['all', '[dryRun:true]'], ends: ['refused', { ...OWN, all: true }] },
  ],
  list: [{ method: 'list', words: ['site1', '[earlier:true]'], ends: [{}, SITE] }],
  plan: [
    {
      method: 'plan',
      words: ['site1', '[shadow/x]', '[delete:true]'],
      ends: ['refused', SITE, { ...SITE, paths: [{ path: 'shadow/x' }] }],
    },
    { method: 'plan', words: ['site1', 'all', '[delete:true]'], ends: ['refused', SITE, SITE] },
    {
      as: 'site1',
      method: 'plan',
      words: ['all', '[delete:true]'],
      ends: [
        { ...OWN, paths: [SHADOW] },
        { ...OWN, paths: [SHADOW] },
      ],
    },
  ],
  ls: [
    {
      method: 'ls',
      words: ['site1', 'shadow/x', '[limit:5]'],
      ends: ['refused', SITE, { ...SITE, folder: { path: 'shadow/x' } }],
      top: [1, { ...SITE, limit: 5 }],
    },
  ],
  databases: [{ method: 'databases', words: ['site1', '[at:today]'], ends: [{}, SITE], gone: { 0: { at: 'today' } } }],
  find: [
    {
      method: 'find',
      words: ['site1', "'*.php'", 'shadow/x', '[limit:5]'],
      ends: ['refused', 'refused', { ...SITE, pattern: '*.php' }, { ...SITE, pattern: '*.php', folder: { path: 'shadow/x' } }],
      top: [2, { ...SITE, pattern: '*.php', limit: 5 }],
    },
  ],
  history: [
    { method: 'history', words: ['site1', 'shadow/x', '[limit:5]'], ends: ['refused', 'refused', { ...SITE, path: { path: 'shadow/x' } }] },
  ],
  diff: [
    {
      method: 'diff',
      words: ['site1', 'today', 'latest', 'shadow/x', '[limit:5]'],
      ends: [
        'refused',
        { ...SITE, from: 'latest', live: true },
        { ...SITE, from: 'today', live: true },
        { ...SITE, from: 'today', to: 'latest' },
        { ...SITE, from: 'today', to: 'latest', folder: { path: 'shadow/x' } },
      ],
      top: [3, { ...SITE, from: 'today', to: 'latest', limit: 5 }],
    },
  ],
  verify: [{ method: 'verify', words: ['site1', '[quick:true]'], ends: ['refused', SITE] }],
  repair: [{ method: 'repair', words: ['site1', '[dryRun:true]'], ends: ['refused', SITE] }],
  servers: [{ method: 'servers', words: [`[trust:"SHA256:${'a'.repeat(43)}"]`], ends: [{}] }],
  'fleet-status': [{ method: 'fleetStatus', words: ['[sizes:true]'], ends: [{}] }],
  adopt: [{ method: 'adopt', words: ['old', '[yes:true]'], ends: ['refused', { server: 'old' }] }],
  join: [{ method: 'join', words: ['site12-1f3a9c2e'], ends: ['refused'] }],
  forget: [{ method: 'forget', words: ['site12'], ends: ['refused'] }],
  prune: [{ method: 'prune', words: ['site1', '[dryRun:true]'], ends: ['refused', { units: ['site1'] }] }],
  copy: [{ method: 'copy', words: ['usb', '[background:false]'], ends: [{}, { copies: ['usb'] }] }],
  hold: [
    {
      method: 'hold',
      words: [JOB, 'why', "'6 months'", 'site1'],
      ends: ['refused', 'refused', { snapshot: JOB, reason: 'why' }, { snapshot: JOB, reason: 'why', until: '6 months' }],
      // The core refuses a backup, or an end, of such a name.
      gone: {
        0: { snapshot: 'why', reason: '6 months', until: 'site1' },
        1: { snapshot: JOB, reason: '6 months', until: 'site1' },
        2: { snapshot: JOB, reason: 'why', until: 'site1' },
      },
    },
  ],
  release: [
    { method: 'release', words: ['latest', 'site1'], ends: ['refused', { snapshot: 'latest' }], gone: { 0: { snapshot: 'site1' } } },
  ],
  explain: [{ method: 'explain', words: ['site1', 'shadow/x'], ends: ['refused', 'refused'] }],
  download: [
    {
      method: 'download',
      words: ['site1', '[shadow/x]', '[to:/root/x]'],
      ends: ['refused', SITE, { ...SITE, paths: [{ path: 'shadow/x' }] }],
    },
    {
      as: 'site1',
      method: 'download',
      words: ['all', '[background:false]'],
      ends: [
        { ...OWN, paths: [SHADOW] },
        { ...OWN, paths: [SHADOW] },
      ],
    },
  ],
  jobs: [{ method: 'jobs', words: ['[live:true]'], ends: [{}] }],
  job: [{ method: 'job', words: [JOB], ends: ['refused'] }],
  cancel: [{ method: 'cancel', words: [JOB], ends: ['refused'] }],
  log: [{ method: 'log', words: [JOB, '[limit:5]'], ends: ['refused', { job: JOB }] }],
};

/** A command line with what may come of it; none: it has to be refused. */
type Call = readonly [words: readonly string[], reaches?: Params | undefined];

/** Every place of a command with what a variable that is not set may leave there: an empty text, an empty list or map, a list that lost its last, nothing. */
function emptied(command: string, { words, ends, gone, top }: Row, end: 'absent' | 'null'): Call[] {
  return words.flatMap((word, place): Call[] => {
    const put = (...instead: string[]) => [command, ...words.slice(0, place), ...instead, ...words.slice(place + 1)];
    const isOwnSite = word === 'null';
    const left = ends[place]!;
    const rest = end === 'null' ? words.slice(place).map(() => 'null') : [];
    const cut: Call = [[command, ...words.slice(0, place), ...rest], left === 'refused' ? undefined : left];
    const isLast = place === words.length - 1;
    return [
      ...(isOwnSite ? [] : ([[put("''"), top?.[0] === place ? top[1] : undefined], [put('[]')], [put('[shadow/x,]')]] as Call[])),
      cut,
      ...(isLast || isOwnSite ? [] : [[put(), gone?.[place]] as Call]),
    ];
  });
}

describe('a word of a command that a variable left empty', () => {
  for (const grammar of GRAMMARS) {
    describe(`in the ${grammar} grammar`, () => {
      let panel: FakePanel;
      before(() => {
        panel = new FakePanel({ standin: { grammar } });
      });
      after(() => panel.remove());

      for (const as of [undefined, 'site1'])
        it(`never makes ${as === undefined ? 'the administrator’s' : 'an owner’s'} command do more than was meant`, async () => {
          const rows = Object.entries(ROWS).flatMap(([name, all]) => all.filter((row) => row.as === as).map((row) => [name, row] as const));
          const calls = rows.flatMap(([name, row]) => emptied(`backup:${name}`, row, grammar === 'public' ? 'absent' : 'null'));
          const result = [{ result: { status: 'ok', unit: 'site1', current: true, snapshots: [] } }];
          panel.answer(Object.fromEntries(rows.map(([, { method }]) => [method, result])));
          const typed = calls.flatMap(([words], at) => (at > 0 ? [';', ...words] : words));
          const { stdout } = await panel.cpcmd(...(as === undefined ? [] : ['-d', as]), '-o', 'json', ...typed);
          const answers = stdout.split('\n').map((line) => JSON.parse(line));
          expect(answers).to.have.length(calls.length);
          const reached = panel.notes.map(({ request }) => request.params);
          for (const [at, [words, reaches]] of calls.entries()) {
            const line = words.join(' ');
            if (answers[at].status === 'failed') expect(reaches, `${line}: ${answers[at].error.message}`).to.equal(undefined);
            else {
              expect(reaches, `${line} was carried out`).to.be.an('object');
              // An owner's download goes to a folder of its own.
              const { to, ...params } = reached.shift()!;
              expect(typeof to === 'string' ? { ...params, to } : params, line).to.deep.equal(reaches);
            }
          }
          expect(reached).to.deep.equal([]);
        });
    });
  }

  it('was tried in every command that takes words', async () => {
    const panel = new FakePanel();
    const { stdout } = await panel.cpcmd('-o', 'json', 'misc:command-info', 'backup:*');
    panel.remove();
    const commands = Object.entries(JSON.parse(stdout) as Record<string, { parameters: unknown[] }>);
    const named = commands
      .filter(([, { parameters }]) => parameters.length > 0)
      .map(([name]) => name.slice('backup:'.length).replaceAll('_', '-'));
    expect(Object.keys(ROWS).sort()).to.deep.equal(named.sort());
    for (const [name, { parameters }] of commands)
      for (const { as, words } of ROWS[name.slice('backup:'.length).replaceAll('_', '-')] ?? [])
        if (as === undefined) expect(words, name).to.have.length(parameters.length);
  });
});
