import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel, type Step } from '../stand-in-panel/fake-panel.ts';
import { GRAMMARS, readWords } from '../stand-in-panel/grammars.ts';
import { SoapServer } from '../stand-in-panel/soap-server.ts';
import { exampleCalls } from './example-commands.ts';

const GUIDE = join(import.meta.dirname, '../../docs/guide');
const ADMIN = 'aa01';
const OWNER = 'bb02';
const JOB = '20261126T012345678Z-1f3a9c2e';
const METHODS = ['version', 'list', 'history', 'find', 'ls', 'diff', 'databases', 'restore', 'start', 'jobs', 'job', 'cancel'];
const ANSWER = { status: 'ok', unit: 'site1', current: true, job: JOB, state: 'ok', result: { status: 'ok' } };
/** Runs the PHP of a guide; `$key` is the reader's. The address is the test's, and nobody waits. */
const RUN = `$key = $argv[1];
foreach (preg_split('/\\n(?=\\$client = )/', $argv[2]) as $code) eval($code);
echo "\\ndone";`;

describe('the examples of the guides for those who call over SOAP', () => {
  let panel: FakePanel;
  let soap: SoapServer;
  before(async () => {
    panel = new FakePanel();
    soap = await SoapServer.start(panel, { [ADMIN]: null, [OWNER]: 'site1' });
  });
  after(async () => {
    await soap.stop();
    panel.remove();
  });
  beforeEach(() => {
    const steps: readonly Step[] = [{ result: { ...ANSWER, snapshots: [{ ...ANSWER, id: 'latest' }] } }];
    panel.answer(Object.fromEntries(METHODS.map((method) => [method, steps])));
  });

  const guide = (name: string) => readFileSync(join(GUIDE, name), 'utf8');
  const asked = () => panel.notes.map(({ request }) => request);

  it('work as Beacon sends them, however it reads its words', async () => {
    // The guide's owner is the stand-in's alice.
    const examples = exampleCalls(guide('account-owners.md').replaceAll('/home/owner/', '/home/alice/'));
    expect(examples).to.have.length.above(14);
    for (const { text, unquoted } of examples) expect(unquoted, text).to.deep.equal([]);
    const words = examples.flatMap((example) => example.words.slice(1));
    const [first, second] = await Promise.all(GRAMMARS.map((grammar) => readWords(grammar, words)));
    expect(first).to.deep.equal(second);
    const requests = [];
    for (const read of [first!.map(({ value }) => value), words.map(asOlderBeacon)]) {
      const calls = examples.map((example) => [example.words[0]!, read.splice(0, example.words.length - 1)] as const);
      const answers = await soap.client({ key: OWNER, mapping: 'any', calls });
      for (const [at, { fault, result }] of answers.entries()) {
        expect(fault, examples[at]!.text).to.equal(undefined);
        expect(result.error, examples[at]!.text).to.equal(undefined);
      }
      requests.push(asked().splice(-examples.length));
    }
    expect(requests[0]).to.have.length(examples.length);
    expect(requests[1]).to.deep.equal(requests[0]);
  });

  for (const [name, key, methods] of [
    ['integrators.md', ADMIN, ['list', 'start', 'start', 'job']],
    ['account-owners.md', OWNER, ['find', 'start', 'job']],
  ] as const) {
    it(`run in PHP as they stand in ${name}`, async () => {
      const code = [...guide(name).matchAll(/^```php\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('\n');
      const here = code
        .replaceAll(/'https:\/\/[^/]+\/apnscp\.wsdl'/g, `'${soap.url}/apnscp-any.wsdl'`)
        .replaceAll(/'https:\/\/[^/]+\/soap/g, `'${soap.url}/soap`)
        .replaceAll('/home/owner/', '/home/alice/')
        .replaceAll('example.com', 'one.example')
        .replaceAll('sleep(5)', 'usleep(1)');
      const { stdout } = await execa('php', ['-d', 'error_reporting=-1', '-d', 'soap.wsdl_cache_enabled=0', '-r', RUN, key, here]);
      expect(stdout)
        .to.match(/\ndone$/)
        .and.not.match(/Warning|Deprecated|Notice/);
      expect(asked().map(({ method }) => method)).to.deep.equal(methods);
    });
  }
});

/** An older Beacon hands everything but lists and maps on as it was typed, and takes quotes off what is in those. */
function asOlderBeacon(word: string): unknown {
  if (!word.startsWith('[') || !word.endsWith(']')) return word;
  const bare = (text: string) => text.replaceAll(/^['"]+|['"]+$/g, '');
  const parts = word
    .slice(1, -1)
    .split(/,\s*/)
    .map((part) => part.split(/:(.*)/s, 2));
  return parts.every(([, value]) => value === undefined)
    ? parts.map(([item]) => bare(item!))
    : Object.fromEntries(parts.map(([name, value]) => [bare(name!), bare(value!)]));
}
