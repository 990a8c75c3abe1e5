import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { ls } from '../../core/commands/ls.ts';
import type { Difference, DiffRequest } from '../../core/schemas/diff.ts';
import type { EntryResult } from '../../core/schemas/reading.ts';
import { RandomTree, seededRandom } from '../commands/random-tree.ts';
import { type Level, Sandbox } from '../commands/sandbox.ts';

const SEEDS = process.env.SLOW === undefined ? [1, 2] : Array.from({ length: 20 }, (_, i) => i + 1);
const SNAPSHOTS = 9;
const CHANGES = 25;
const LEVELS: readonly Level[] = ['full', 'differential', 'incremental', 'incremental', 'incremental', 'synthetic'];

/** What a path is, in one line; equal lines are equal as far as this test looks. */
type Model = ReadonlyMap<string, string>;

const lineOf = (octal: string, size: number, mtime: bigint) => `${octal} ${size} ${mtime}`;
const nanoseconds = (time: string) => Temporal.Instant.from(time).epochNanoseconds;
const lineOfEntry = ({ mode, size, mtime }: Pick<EntryResult, 'mode' | 'size' | 'mtime'>) => lineOf(mode, size, nanoseconds(mtime));

/** The account as it is now, by means of its own. */
function look(site: string): Model {
  const model = new Map<string, string>();
  const enter = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const status = lstatSync(path, { bigint: true });
      const size = status.isFile() || status.isSymbolicLink() ? Number(status.size) : 0;
      model.set(relative(site, path), lineOf((Number(status.mode) & 0o7777).toString(8).padStart(4, '0'), size, status.mtimeNs));
      if (status.isDirectory()) enter(path);
    }
  };
  enter(site);
  return model;
}

describe('what is found in a random past', function () {
  this.timeout(600_000);

  for (const seed of SEEDS) {
    it(`is what was there (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const sandbox = new Sandbox();
      try {
        const tree = new RandomTree(sandbox.shadow, random);
        const states = new Map<string, Model>();
        await sandbox.init();
        for (let made = 0; made < SNAPSHOTS; made++) {
          for (let i = 0; i < CHANGES; i++) tree.change();
          const level = LEVELS[Math.floor(random() * LEVELS.length)] as Level;
          const { snapshot } = await sandbox.back(made === 0 ? 'full' : level);
          states.set(snapshot as string, look(sandbox.site));
        }
        await checkLists(sandbox, states);
        await checkFinds(sandbox, states);
        const ids = [...states.keys()];
        for (const from of ids) {
          const to = ids[Math.floor(random() * ids.length)] as string;
          await checkDifferences(sandbox, { from, to, limit: 7 }, states.get(from) as Model, states.get(to) as Model);
        }
        for (let i = 0; i < CHANGES; i++) tree.change();
        for (const from of ids)
          await checkDifferences(sandbox, { from, live: true, limit: 7 }, states.get(from) as Model, look(sandbox.site));
      } finally {
        await sandbox.remove();
      }
    });
  }
});

async function checkLists(sandbox: Sandbox, states: ReadonlyMap<string, Model>): Promise<void> {
  for (const [at, model] of states) {
    const { entries } = await ls({ unit: 'site1', at, recursive: true, limit: 10_000 }, sandbox.context);
    const listed = entries.map((entry) => [entry.path, 'mode' in entry ? lineOfEntry(entry) : ''] as const);
    expect(new Map(listed), at).to.deep.equal(new Map(model));
  }
}

/** Every path that ever was: each snapshot has the version that the search says, or none. */
async function checkFinds(sandbox: Sandbox, states: ReadonlyMap<string, Model>): Promise<void> {
  const { found } = await find({ unit: 'site1', pattern: '*', limit: 10_000 }, sandbox.context);
  const ids = [...states.keys()];
  expect(new Set(found.map(({ path }) => path))).to.deep.equal(new Set([...states.values()].flatMap((model) => [...model.keys()])));
  for (const { path, versions, deleted } of found) {
    const lines = new Map<string, string>();
    for (const version of versions) {
      for (const id of ids.slice(ids.indexOf(version.first), ids.indexOf(version.last) + 1)) lines.set(id, lineOfEntry(version));
    }
    for (const [id, model] of states) expect(lines.get(id), `${path} in ${id}`).to.equal(model.get(path));
    expect(deleted).to.equal(!states.get(ids.at(-1) as string)?.has(path));
  }
}

async function checkDifferences(sandbox: Sandbox, request: Omit<DiffRequest, 'unit'>, before: Model, after: Model): Promise<void> {
  const all: Difference[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await diff({ unit: 'site1', ...request, ...(cursor === undefined ? {} : { after: cursor }) }, sandbox.context);
    all.push(...page.differences);
    cursor = page.next;
  }
  const what = (difference: Difference['difference']) => all.filter((each) => each.difference === difference).map(({ path }) => path);
  expect(new Set(all.map(({ path }) => path)).size).to.equal(all.length);
  expect(what('added').sort()).to.deep.equal([...after.keys()].filter((path) => !before.has(path)).sort());
  expect(what('removed').sort()).to.deep.equal([...before.keys()].filter((path) => !after.has(path)).sort());
  const changed = [...after.keys()].filter((path) => before.has(path) && before.get(path) !== after.get(path));
  expect(what('changed')).to.include.members(changed);
}
