import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';
import { GRAMMARS, type Read, readWords } from '../stand-in-panel/grammars.ts';
import { exampleCommands } from './example-commands.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** A command as it arrives when a variable in it is not set, or a blank or a colon is not in quotes, and what the request has to have if there is one. */
const SLIPS: readonly (readonly [words: readonly string[], kept?: object])[] = [
  [['backup:restore', 'site1', '[shadow/x]', '[to:]']],
  [['backup:restore', 'site1', '[shadow/x]', '[overwrite:never,dryRun:]']],
  [['backup:restore', 'site1', '[shadow/x]', '[dryRun:,overwrite:never]']],
  [['backup:restore', 'site1', '[shadow/x]', '[dryRun: ,overwrite:never]']],
  [['backup:restore', 'site1', '[shadow/x]', '[dryRun:null]']],
  [['backup:restore', 'site1', '[shadow/x]', '[dryRun]']],
  [['backup:restore', 'site1', '[shadow/x]', 'dryRun:true']],
  [['backup:restore', 'site1', '[shadow/x]', '[]']],
  [['backup:restore', 'site1', '[shadow/x]', '[:]']],
  [['backup:restore', 'site1', '[shadow/x]', '']],
  [['backup:restore', 'site1', '[shadow/x]', '[at:yesterday 14:00,dryRun:true]'], { at: 'yesterday 14:00', dryRun: true }],
  [['backup:restore', 'site1', '[shadow/x]', '[to:/root/a:b]'], { to: { path: '/root/a:b' } }],
  [['backup:restore', 'site1', '[shadow/x,]']],
  [['backup:restore', 'site1', "['']"]],
  [['backup:restore', 'site1', '[]']],
  [['backup:restore', 'site1', '[]', '[overwrite:never]']],
  [['backup:restore', 'site1', '[info:shadow]']],
  [['backup:restore', 'site1', '[shadow/a:shadow/b,shadow/c]']],
  [['-d', 'site1', 'backup:restore', '[shadow/x,]']],
  [['-d', 'site1', 'backup:restore', '[]']],
  [['-d', 'site1', 'backup:restore', '']],
  [['-d', 'site1', 'backup:restore', '[shadow/x]', '[to:]']],
  [['backup:restore-database', 'site1', '[mysql/x]', '[dryRun:]']],
  [['backup:restore-database', 'site1', '[mysql/x]', '[as:]']],
  [['backup:restore-database', 'site1', '[mysql/x]', '[as:00123]']],
  [['backup:restore-database', 'site1', '[]']],
  [['backup:prune', 'all', '[dryRun:]']],
  [['backup:prune', 'all', '[]']],
  [['backup:prune', 'all', '']],
  [['backup:prune', '[]']],
  [['backup:prune', '', '[dryRun:true]']],
  [['backup:verify', 'all', '[quick:]']],
  [['backup:adopt', 'old', '[yes:]']],
  [['backup:run', '[]']],
  [['backup:run', '']],
  [['backup:hold', '', 'why']],
  [['backup:find', 'site1', '[Ww]p-config.php'], { pattern: '[Ww]p-config.php' }],
  [['backup:ls', 'site1', 'shadow', '[at:]']],
];
const METHODS = ['restore', 'restoreDatabase', 'prune', 'simulate', 'verify', 'adopt', 'run', 'hold', 'find', 'ls'];
/** What the core answers besides, when an example asks it. */
const ANSWERED = [
  'init',
  'keys',
  'list',
  'plan',
  'copy',
  'release',
  'explain',
  'history',
  'diff',
  'status',
  'doctor',
  'version',
  'servers',
  'databases',
];
/** The words of an example are not those that a command takes. */
const REFUSED = /: (bad_\w+|extra_argument|options_misplaced|all_needed)$/;
const REFUSALS = ['bad_option', 'bad_argument', 'bad_path', 'all_needed', 'options_misplaced'];

/** Forms that survive both grammars, and what arrives. */
const SURVIVE: readonly (readonly [word: string, value: unknown])[] = [
  ['shadow/home/joe/my file.txt', 'shadow/home/joe/my file.txt'],
  ["shadow/home/joe/it's", "shadow/home/joe/it's"],
  ["['shadow/home/joe/my file.txt','shadow/a,b: [c]']", ['shadow/home/joe/my file.txt', 'shadow/a,b: [c]']],
  ['["shadow/home/joe/it\'s"]', ["shadow/home/joe/it's"]],
  ["[at:'2026-11-20 14:00',to:'/root/a: b, c',dryRun:true]", { at: '2026-11-20 14:00', to: '/root/a: b, c', dryRun: true }],
  ["'[Ww]p-config.php'", '[Ww]p-config.php'],
  ['[[path_b64:c2hhZG93L/8=],shadow/x]', [{ path_b64: 'c2hhZG93L/8=' }, 'shadow/x']],
  ["[as:'00123']", { as: '00123' }],
];

describe('words of a command line', () => {
  for (const grammar of GRAMMARS) {
    describe(`in the ${grammar} grammar`, () => {
      let panel: FakePanel;
      before(() => {
        panel = new FakePanel({ standin: { grammar } });
      });
      after(() => panel.remove());

      it('never lose what keeps a command from doing more than was said', async () => {
        for (const as of ['', 'site1']) {
          const slips = SLIPS.filter(([words]) => (words[0] === '-d') === (as !== ''));
          const commands = slips.flatMap(([words], at) => [...(at > 0 ? [';'] : []), ...words.slice(as === '' ? 0 : 2)]);
          panel.answer(Object.fromEntries(METHODS.map((method) => [method, [{ result: { status: 'ok' } }]])));
          // All in one process; the core notes what reached it.
          const { stdout } = await panel.cpcmd(...(as === '' ? [] : ['-d', as]), '-o', 'json', ...commands);
          const results = stdout.split('\n').map((line) => JSON.parse(line));
          expect(results).to.have.length(slips.length);
          const reached = panel.notes.map(({ request }) => request.params);
          for (const [at, [words, kept]] of slips.entries()) {
            const { status, error } = results[at];
            if (status === 'failed') expect(REFUSALS, words.join(' ')).to.include(error.code);
            else {
              expect(kept, `${words.join(' ')} was carried out`).to.be.an('object');
              expect(reached.shift(), words.join(' ')).to.deep.include(kept!);
            }
          }
          expect(reached).to.deep.equal([]);
        }
      });

      it('are refused by name, with what was meant', async () => {
        const say = async (...words: string[]) => (await panel.cpcmd('backup:restore', 'site1', '[shadow/x]', ...words)).stderr;
        expect(await say('[]')).to.match(/Option `\[\]' arrived in the place of options \(at, to, .*without any in it/);
        expect(await say('[dryRun]')).to.contain("`dryRun' is no map of options; one looks like [at:VALUE]");
        if (grammar === 'public') {
          expect(await say('[at:yesterday 14:00]')).to.contain('stands in quotes: "[at:\'yesterday 14:00\']"');
        }
      });

      it('survive in the forms that the guides name', async () => {
        const read = await readWords(
          grammar,
          SURVIVE.map(([word]) => word),
        );
        expect(read).to.deep.equal(SURVIVE.map(([, value]) => ({ value })));
      });
    });
  }

  it('are what the module takes, in every example of the documentation', async () => {
    const panel = new FakePanel();
    try {
      const examples = globSync(['README.md', 'docs/guide/*.md'], { cwd: PROJECT })
        .flatMap((file) => exampleCommands(readFileSync(join(PROJECT, file), 'utf8')))
        // Accounts that the panel has; a name with something left out is none.
        .map(({ text, words }) => ({
          text,
          words: words.map((word) => word.replaceAll(/site(12|2|3)\b/g, 'site1').replaceAll('example.com', 'one.example')),
        }))
        .filter(({ words }) => /^backup:[a-z-]+$/.test(words[1] ?? '') && !words.join().includes('…'));
      const commands = examples.flatMap(({ words }, at) => [...(at > 0 ? [';'] : []), ...words.slice(1)]);
      panel.answer(Object.fromEntries([...ANSWERED, ...METHODS].map((method) => [method, [{ result: { status: 'ok' } }]])));
      const { stdout } = await panel.cpcmd('-o', 'json', ...commands);
      const results = stdout.split('\n').map((line) => JSON.parse(line));
      expect(results).to.have.length(examples.length).above(40);
      const refused = results.map(({ error }, at) => `${examples[at]!.text}: ${error?.code}`).filter((text) => REFUSED.test(text));
      expect(refused).to.deep.equal([]);
    } finally {
      panel.remove();
    }
  });

  it('mean the same in both grammars in every example of the documentation, and stand in quotes where a shell would touch them', async () => {
    const files = globSync(['README.md', 'docs/**/*.md', '{php-module,scopes,core,packaging}/**/*.md'], { cwd: PROJECT });
    const examples = files.flatMap((file) =>
      exampleCommands(readFileSync(join(PROJECT, file), 'utf8')).map((example) => ({ file, ...example })),
    );
    expect(examples).to.have.length.above(40);
    for (const { file, text, unquoted } of examples) expect(unquoted, `${file}: ${text}`).to.deep.equal([]);
    const words = examples.flatMap((example) => example.words);
    const [first, second] = (await Promise.all(GRAMMARS.map((grammar) => readWords(grammar, words)))) as [Read[], Read[]];
    for (const [at, word] of words.entries()) expect(first[at], word).to.deep.equal(second[at]);
  });
});
