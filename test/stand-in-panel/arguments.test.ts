import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from './fake-panel.ts';
import { type Grammar, readWords } from './grammars.ts';

/** What the public parser makes of words; see the file. */
const PUBLIC: [string, unknown][] = readFileSync(join(import.meta.dirname, 'fixtures/cpcmd-words.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [word, json] = line.split('\t');
    return [word!, JSON.parse(json!)];
  });

// What a word becomes in the grammar that ApisCP documents for `cli`.
const DOCUMENTED: readonly (readonly [string, unknown])[] = [
  ['plain', 'plain'],
  ['', ''],
  ["''", ''],
  ['""', ''],
  ['null', null],
  ['None', null],
  ['true', true],
  ['false', false],
  ["'null'", 'null'],
  ['"true"', 'true'],
  ['12', 12],
  ['-3.5', -3.5],
  ['1e5', 100000],
  ['00123', 123],
  ["'00123'", '00123'],
  ['\\12', '12'],
  ['[]', []],
  ['[a,b]', ['a', 'b']],
  ['[a, b,  c]', ['a', 'b', 'c']],
  ['[1,true,null,x]', [1, true, null, 'x']],
  ['[k:v,k2:v2]', { k: 'v', k2: 'v2' }],
  ['[k: v]', { k: 'v' }],
  ['[k:[x,y]]', { k: ['x', 'y'] }],
  ['[a:[b:[c:d]]]', { a: { b: { c: 'd' } } }],
  ['[[a,b],[c]]', [['a', 'b'], ['c']]],
  ["['a,b',\"c:d\",'[e]']", ['a,b', 'c:d', '[e]']],
  ['[a\\,b,c\\:d,\\[e\\]]', ['a,b', 'c:d', '[e]']],
  ["[at:'2026-01-01T02:03']", { at: '2026-01-01T02:03' }],
  ["['it\\'s']", ["it's"]],
  ["it's", "it's"],
  ['shadow/var/www/html/index.php', 'shadow/var/www/html/index.php'],
  ['a b', 'a b'],
  ['$(id); `id` && "x', '$(id); `id` && "x'],
  ['--option', '--option'],
];

async function expectRead(grammar: Grammar, table: readonly (readonly [string, unknown])[]): Promise<void> {
  const read = await readWords(
    grammar,
    table.map(([word]) => word),
  );
  const got = table.map(([word], at) => [word, read[at]]);
  expect(got).to.deep.equal(table.map(([word, value]) => [word, { value }]));
}

describe('arguments of cpcmd', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  it('are read as the public parser reads them', () => expectRead('public', PUBLIC));

  it('are read as the documentation says, where a panel does', () => expectRead('documented', DOCUMENTED));

  it('are in the documented grammar whole or refused', async () => {
    const words = ['[a', '[k:[x]', "['a]", '[a]b]', '[a,[b]'];
    for (const [at, read] of (await readWords('documented', words)).entries()) {
      if (read.refused === undefined) expect(read.value).to.equal(words[at]);
      else expect(read.refused).to.match(/cannot parse|does not end/);
    }
  });

  it('come to a command so', async () => {
    const echo = async (on: FakePanel, word: string) => JSON.parse((await on.cpcmd('-o', 'json', 'probe:echo', word)).stdout).value;
    expect(await echo(panel, '[to:x,dryRun:]')).to.deep.equal([]);
    const documented = new FakePanel({ standin: { grammar: 'documented' } });
    expect(await echo(documented, '[to:x,dryRun:]')).to.deep.equal({ to: 'x', dryRun: '' });
    documented.remove();
  });

  it('reads JSON and serialized values as such', async () => {
    const json = await panel.cpcmd('-i', 'json', '-o', 'json', 'probe:echo', '{"a":["[b,c]",null,1]}');
    expect(JSON.parse(json.stdout)).to.deep.equal({ value: { a: ['[b,c]', null, 1] } });
    const serialized = await panel.cpcmd('-i', 'serialize', '-o', 'json', 'probe:echo', 'a:1:{i:0;s:3:"x:y";}');
    expect(JSON.parse(serialized.stdout)).to.deep.equal({ value: ['x:y'] });
  });

  it('writes every output format, and refuses another', async () => {
    const give = async (format: string) => (await panel.cpcmd('-i', 'json', '-o', format, 'probe:give', '{"a":[1,"x: y"]}')).stdout;
    expect(await give('yaml')).to.equal("a:\n- 1\n- 'x: y'");
    expect(await give('json')).to.equal('{"a":[1,"x: y"]}');
    expect(await give('serialize')).to.equal('a:1:{s:1:"a";a:2:{i:0;i:1;i:1;s:4:"x: y";}}');
    expect(await give('print')).to.contain('[1] => x: y');
    expect(await give('var_dump')).to.contain('string(4) "x: y"');
    expect((await panel.cpcmd('-o', 'xml', 'probe:give', '1')).stderr).to.contain('unknown format');
  });

  it('writes in the cli format what the documented grammar reads as the same value', async () => {
    const value = { list: ['a,b', "it's", 'null', 1, true, null, '00123', '\\'], empty: [], map: { 'k:1': '[x]' } };
    const written = await panel.cpcmd('-i', 'json', '-o', 'cli', 'probe:echo', JSON.stringify(value));
    const [read] = await readWords('documented', [written.stdout]);
    expect(read!.value).to.deep.equal({ value });
  });
});
