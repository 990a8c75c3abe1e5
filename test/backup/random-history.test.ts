import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { RandomTree, seededRandom } from '../commands/random-tree.ts';
import { type Level, Sandbox } from '../commands/sandbox.ts';

const SLOW = process.env.SLOW !== undefined;
const SEEDS = SLOW ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
const SNAPSHOTS = SLOW ? 30 : 8;
const CHANGES_BETWEEN = 25;
const DAY = 86_400_000;
/** Incrementals go after four days by default, the others soon, so that compaction and deletion meet in a short history. */
const RETENTION = { levels: { full: '10 days', differential: '7 days', incremental: '4 days' }, guardShare: 1 };
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
      const start = Date.now();
      await sandbox.init();
      sandbox.set('retention', RETENTION);
      for (let number = 0; number < SNAPSHOTS; number++) {
        sandbox.now = () => new Date(start + number * DAY);
        for (let change = 0; change < CHANGES_BETWEEN; change++) tree.change();
        const level = LEVELS[Math.floor(random() * LEVELS.length)] as Level;
        const outcome = await sandbox.back(level);
        expect(outcome.status, JSON.stringify(outcome)).to.be.oneOf(['ok', 'unchanged']);
        const copy = join(sandbox.folder, `model-${number}`);
        execFileSync('cp', ['-a', sandbox.site, copy]);
        states.set(outcome.snapshot as string, copy);
        if (random() < 0.3) await prune({ units: ['site1'], yes: true }, sandbox.context);
      }
      await prune({ units: ['site1'], yes: true }, sandbox.context);
      const kept = new Set((await list({ unit: 'site1' }, sandbox.context)).snapshots.map(({ id }) => id));
      expect(kept.size).to.be.within(1, states.size);
      for (const snapshot of states.keys()) if (!kept.has(snapshot)) states.delete(snapshot);
      for (const [snapshot, copy] of states) {
        expect(await sandbox.differences(snapshot, copy), `snapshot ${snapshot}`).to.deep.equal([]);
        rmSync(copy, { recursive: true });
      }
    });
  }
});
