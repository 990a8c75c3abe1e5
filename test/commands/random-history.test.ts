import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { RandomTree, seededRandom } from './random-tree.ts';
import { type Level, Sandbox } from './sandbox.ts';

const SLOW = process.env['SLOW'] !== undefined;
const SEEDS = SLOW ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
const SNAPSHOTS = SLOW ? 30 : 8;
const CHANGES_BETWEEN = 25;
const LEVELS: readonly Level[] = ['incremental', 'incremental', 'incremental', 'differential', 'synthetic', 'full'];

describe('a random history', () => {
  let sandbox: Sandbox;

  beforeEach(() => {
    sandbox = new Sandbox();
  });

  afterEach(() => sandbox.remove());

  for (const seed of SEEDS) {
    it(`gives every state back exactly (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const tree = new RandomTree(sandbox.shadow, random);
      // What the account was at each snapshot: the model is a plain copy.
      const states = new Map<string, string>();
      await sandbox.init();
      for (let number = 0; number < SNAPSHOTS; number++) {
        for (let change = 0; change < CHANGES_BETWEEN; change++) tree.change();
        const level = LEVELS[Math.floor(random() * LEVELS.length)] as Level;
        const outcome = await sandbox.back(level);
        expect(outcome.status, JSON.stringify(outcome)).to.be.oneOf(['ok', 'unchanged']);
        const copy = join(sandbox.folder, `model-${number}`);
        execFileSync('cp', ['-a', sandbox.site, copy]);
        states.set(outcome.snapshot as string, copy);
      }
      for (const [snapshot, copy] of states) {
        expect(await sandbox.differences(snapshot, copy), `snapshot ${snapshot}`).to.deep.equal([]);
        rmSync(copy, { recursive: true });
      }
    });
  }
});
