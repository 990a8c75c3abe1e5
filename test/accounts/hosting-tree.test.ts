import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { mutateDay } from './hosting-day.ts';
import { makeHostingTree } from './hosting-tree.ts';

describe('generated hosting accounts', () => {
  let place: string;

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hosting-'));
  });

  afterEach(() => rmSync(place, { recursive: true }));

  it('are the same for the same seed, and so is a day in them', async () => {
    const [first, second] = [join(place, 'first'), join(place, 'second')];
    for (const folder of [first, second]) makeHostingTree(folder, 1500, 7);
    const options = { ignoreProperties: ['modification time'] as const };
    expect(await compareTrees(first, second, options)).to.deep.equal([]);
    const day = mutateDay(first, 3);
    expect(day.changed).to.be.within(5, 40);
    expect(day.renamedFolders).to.equal(3);
    expect(await compareTrees(first, second, options)).to.not.deep.equal([]);
    expect(mutateDay(second, 3)).to.deep.equal(day);
    expect(await compareTrees(first, second, options)).to.deep.equal([]);
  });
});
