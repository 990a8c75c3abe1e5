import { expect } from 'chai';
import { corpusOf } from './corpus.ts';
import { watch } from './loop/watch.ts';
import { TARGETS } from './targets.ts';

describe('every parser of what others wrote', function () {
  this.timeout(300_000);
  const jobs = TARGETS.map(({ name }) => ({ target: name, files: corpusOf(name) }));

  it('has a corpus', () => {
    for (const { target, files } of jobs) expect(files.length, target).to.be.greaterThan(0);
  });

  it('takes or refuses each input of its corpus, in bounded time and memory', async () => {
    const { crashes, rounds } = await watch({ jobs, seconds: 0, seed: 1 });
    expect(crashes.map(({ target, verdict }) => `${target}: ${verdict}`)).to.deep.equal([]);
    expect(rounds).to.equal(jobs.reduce((sum, { files }) => sum + files.length, 0));
  });
});
