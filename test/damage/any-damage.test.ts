import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { hold } from '../../core/commands/hold.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { asFailure } from '../../core/failure.ts';
import { EXIT, exitCodeOfFailure, exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';

const ALL = process.env.SLOW === '1';
/** How many places of each object a bit is flipped at. */
const FLIPS = ALL ? 200 : 1;

/** What can happen to one object. */
type Damage = 'flipped' | 'cut' | 'emptied' | 'appended to' | 'missing';
const DAMAGES: readonly Damage[] = ['flipped', 'missing', 'cut', 'emptied', 'appended to'];

interface Case {
  readonly what: string;
  /** The objects that are concerned, below the server's folder. */
  readonly objects: readonly string[];
  /** Whether it has to be named: the object's whole digest is stored elsewhere, or it is signed and there. */
  readonly isDigested: boolean;
  readonly apply: () => void;
}

describe('whatever happens to an object of a repository', function () {
  this.timeout(ALL ? 12 * 3_600_000 : 600_000);
  const sandbox = new Sandbox();
  const sound = join(sandbox.folder, 'sound');
  const expected = new Map<string, string>();
  const ids: string[] = [];
  let server: string;
  let restores = 0;

  const copy = (from: string, to: string): void => {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', from, to]);
  };

  before(async () => {
    await sandbox.init();
    const other = sandbox.addAccount('site2');
    writeFileSync(join(other, 'shadow/other'), 'of another account');
    mkdirSync(join(sandbox.shadow, 'folder/deep'), { recursive: true });
    for (const name of ['a', 'b', 'folder/c', 'folder/deep/d', 'folder/deep/e']) {
      writeFileSync(join(sandbox.shadow, name), randomBytes(40_000));
    }
    writeFileSync(join(sandbox.shadow, 'large'), randomBytes(5_000_000));
    linkSync(join(sandbox.shadow, 'a'), join(sandbox.shadow, 'folder/linked'));
    symlinkSync('a', join(sandbox.shadow, 'pointer'));
    const backUp = async (level: 'full' | 'incremental'): Promise<void> => {
      const id = (await sandbox.back(level)).snapshot as string;
      ids.push(id);
      const then = join(sandbox.folder, `expected-${ids.length}`);
      copy(sandbox.site, then);
      expected.set(id, then);
    };
    await backUp('full');
    for (const number of [1, 2]) {
      writeFileSync(join(sandbox.shadow, `folder/new-${number}`), randomBytes(60_000));
      writeFileSync(join(sandbox.shadow, 'b'), randomBytes(30_000));
      await backUp('incremental');
    }
    await run({ units: ['site2'] }, sandbox.context);
    await hold({ unit: 'site1', snapshot: ids[0] as string, reason: 'kept' }, sandbox.context);
    mkdirSync(sound);
    copy(sandbox.repository, join(sound, 'repository'));
    copy(sandbox.stateDirectory, join(sound, 'state'));
    [server] = globSync(join(sandbox.repository, 'servers/*')) as [string];
  });
  after(() => sandbox.remove());

  const reset = (): void => {
    copy(join(sound, 'repository'), sandbox.repository);
    copy(join(sound, 'state'), sandbox.stateDirectory);
  };

  const objects = (): { kind: string; path: string }[] => {
    const found = (kind: string, pattern: string) =>
      globSync(join(server, pattern))
        .sort()
        .map((file) => ({ kind, path: relative(server, file) }));
    return [
      ...found('server.json', 'server.json'),
      ...found('unit.json', 'units/site1-*/unit.json'),
      ...found('record', 'units/site1-*/snapshots/*'),
      ...found('manifest', 'units/site1-*/manifests/*'),
      ...found('pack', 'units/site1-*/packs/*'),
      ...found('run', 'runs/*'),
      ...found('hold', 'holds/*'),
    ];
  };

  function write(path: string, bytes: Buffer): void {
    const file = join(server, path);
    rmSync(file, { force: true });
    writeFileSync(file, bytes);
  }

  function damage(path: string, how: Damage, place: number): void {
    const file = join(server, path);
    const bytes = readFileSync(file);
    if (how === 'missing') rmSync(file);
    else if (how === 'emptied') truncateSync(file);
    else if (how === 'cut') truncateSync(file, Math.floor(bytes.length * place));
    else if (how === 'appended to') write(path, Buffer.concat([bytes, Buffer.from('x')]));
    else {
      const at = Math.min(bytes.length - 1, Math.floor(bytes.length * place));
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      write(path, bytes);
    }
  }

  /** Of each kind two damages of its last object, and with SLOW=1 all of all objects. */
  function* cases(): Generator<Case> {
    const all = objects();
    const kinds = Map.groupBy(all, ({ kind }) => kind);
    for (const [turn, [kind, members]] of [...kinds].entries()) {
      for (const [number, { path }] of (ALL ? members : members.slice(-1)).entries()) {
        for (const how of ALL ? DAMAGES : ['flipped' as const, DAMAGES[1 + ((turn + number) % 4)] as Damage]) {
          const flips = how === 'flipped' ? FLIPS : 1;
          for (let flip = 0; flip < flips; flip++) {
            const place = (flip + 0.37) / flips;
            const what = `${path} ${how}${how === 'flipped' ? ` at ${place.toFixed(4)}` : ''}`;
            const isDigested = kind === 'manifest' || kind === 'pack' || how !== 'missing';
            yield { what, objects: [path], isDigested, apply: () => damage(path, how, place) };
          }
        }
      }
    }
    for (const kind of ['record', 'manifest', 'pack']) {
      const [first, , third] = (kinds.get(kind) ?? []).map(({ path }) => path) as [string, string, string];
      yield {
        what: `${first} and ${third} swapped`,
        objects: [first, third],
        isDigested: true,
        apply: () => {
          const bytes = [readFileSync(join(server, first)), readFileSync(join(server, third))] as const;
          write(first, bytes[1]);
          write(third, bytes[0]);
        },
      };
      yield {
        what: `${first} once more in the place of ${third}`,
        objects: [third],
        isDigested: true,
        apply: () => write(third, readFileSync(join(server, first))),
      };
    }
    const [record] = (kinds.get('record') ?? []).map(({ path }) => path) as [string];
    const copied = record.replace(/-[0-9a-f]{8}\.json$/, '-00000000.json');
    yield {
      what: `${record} once more under another name`,
      objects: [copied],
      isDigested: true,
      apply: () => copyFileSync(join(server, record), join(server, copied)),
    };
  }

  /** Restores a snapshot; throws when what came out is neither what went in nor named. Returns whether all of it is there. */
  async function restored(unit: string, at: string | undefined, original: string): Promise<boolean> {
    const to = join(sandbox.folder, `restored-${++restores}`);
    try {
      const result = await restore({ unit, to, ...(at === undefined ? {} : { at }) }, sandbox.context);
      const differences = (await Promise.all(['shadow', 'info'].map((root) => compareTrees(join(original, root), join(to, root))))).flat();
      if (result.status === 'ok') {
        expect(differences, 'a restore that says ok').to.deep.equal([]);
        return true;
      }
      expect(exitCodeOfResult(result)).to.equal(EXIT.partial);
      expect(result.warningCount).to.be.greaterThan(0);
      expect(globSync(join(to, '**/*'), { withFileTypes: true }).length, 'what a partial restore gave back').to.be.greaterThan(0);
      // What is there as a file has the right bytes: none is made of something else.
      for (const file of globSync(join(to, '**/*'), { withFileTypes: true }).filter((entry) => entry.isFile())) {
        const path = join(file.parentPath, file.name);
        const source = join(original, relative(to, path));
        if (existsSync(source)) expect(readFileSync(path).equals(readFileSync(source)), relative(to, path)).to.equal(true);
      }
      return false;
    } catch (error) {
      const { code, message } = asFailure(error);
      if (error instanceof Error && error.name === 'AssertionError') throw error;
      expect(
        ['repository_damaged', 'chain_broken', 'snapshot_unknown', 'unit_unknown', 'repository_newer'],
        `${code}: ${message}`,
      ).to.include(code);
      expect(exitCodeOfFailure(code)).to.not.equal(EXIT.ok);
      return false;
    } finally {
      rmSync(to, { recursive: true, force: true });
    }
  }

  async function check({ objects: concerned, isDigested, apply }: Case): Promise<void> {
    reset();
    apply();
    const { status, damages } = await verify({}, sandbox.context);
    const named = damages.map(({ object }) => object).join(' ');
    if (isDigested) {
      expect(status).to.equal('damaged');
      for (const object of concerned) expect(named).to.include(object);
    }
    // Nothing beside it is touched: the other account, and the snapshots that do not need it.
    expect(await restored('site2', undefined, join(sandbox.folder, 'virtual/site2'))).to.equal(true);
    const others = ids.filter((_, at) => !concerned.some((object) => ids.slice(0, at + 1).some((id) => object.includes(id))));
    for (const id of ALL ? ids : [ids[0] as string, ids.at(-1) as string]) {
      const isWhole = await restored('site1', id, expected.get(id) as string);
      if (others.includes(id)) expect(isWhole, `${id} needs nothing of it`).to.equal(true);
    }
    const outcome = await sandbox.back();
    expect(outcome.error, JSON.stringify(outcome)).to.equal(null);
    expect(await restored('site1', undefined, sandbox.site), 'the backup after it').to.equal(true);
  }

  it('is named, costs nothing else, and is stored anew by the next backup', async () => {
    const wrong: string[] = [];
    let count = 0;
    for (const each of cases()) {
      count++;
      await check(each).catch((error) => wrong.push(`${each.what}: ${(error as Error).message}`));
    }
    expect(wrong, `of ${count}`).to.deep.equal([]);
    expect(count).to.be.greaterThan(15);
  });
});
