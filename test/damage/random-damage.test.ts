import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { expect } from 'chai';
import { prune } from '../../core/commands/prune.ts';
import { repair } from '../../core/commands/repair.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { asFailure } from '../../core/failure.ts';
import type { Damage } from '../../core/schemas/verify.ts';
import { differencesOf } from './same-tree.ts';
import { type Taken, TwoServers } from './two-servers.ts';

/** How many random damages of each repository are tried, and from which seed on. */
const SEEDS = Number(process.env.SEEDS ?? (process.env.SLOW === '1' ? 1500 : 2));
const FIRST = Number(process.env.SEED ?? 1);

/** Numbers from 0 to 1 that a seed decides. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const isEncrypted of [false, true]) {
  describe(`random damage of ${isEncrypted ? 'an encrypted' : 'a plain'} repository of two servers`, function () {
    this.timeout(12 * 3_600_000);
    const world = new TwoServers();
    let restores = 0;
    before(() => world.fill(isEncrypted));
    after(() => world.remove());

    /** Damages one to five objects; returns their names and how. */
    function damage(next: () => number): Map<string, string> {
      const objects = world.allObjects();
      const done = new Map<string, string>();
      const count = 1 + Math.floor(next() * 5);
      for (let number = 0; number < count; number++) {
        // As often one of many packs as the only repository.json: by kind first.
        const kinds = [...Map.groupBy(objects, (name) => `${dirname(name).split('/').slice(-1)}${extname(name)}`).values()];
        const ofKind = kinds[Math.floor(next() * kinds.length)] as string[];
        const name = ofKind[Math.floor(next() * ofKind.length)] as string;
        const how = Math.floor(next() * 6);
        const [place, other] = [next(), objects[Math.floor(next() * objects.length)] as string];
        if (done.has(name)) continue;
        const file = join(world.repository, name);
        const bytes = Buffer.from(readFileSync(file));
        const at = Math.min(bytes.length - 1, Math.floor(place * bytes.length));
        rmSync(file);
        if (how === 0) bytes[at] = bytes[at]! ^ (1 << Math.floor(next() * 8));
        const edits = [
          () => bytes,
          () => undefined,
          () => bytes.subarray(0, at),
          () => Buffer.alloc(0),
          () => Buffer.concat([bytes, bytes.subarray(at)]),
          () => world.original(other),
        ];
        const edited = edits[how]!();
        if (edited !== undefined) writeFileSync(file, edited);
        done.set(name, ['flipped', 'missing', 'cut', 'emptied', 'longer', `as ${other}`][how] as string);
      }
      for (const name of done.keys()) if (isSound(name)) done.delete(name);
      return done;
    }

    function isSound(name: string): boolean {
      const file = join(world.repository, name);
      return existsSync(file) && readFileSync(file).equals(world.original(name));
    }

    /** `whole`, or why not all of it came back. What came back has to be what it was. */
    async function restored({ server, unit, original }: Pick<Taken, 'server' | 'unit' | 'original'>, at?: string): Promise<string> {
      world.use(server);
      const to = join(world.folder, `out-${++restores}`);
      try {
        const result = await restore({ unit, to, ...(at === undefined ? {} : { at }) }, world.context);
        const differences = ['shadow', 'info'].flatMap((root) => differencesOf(join(original, root), join(to, root)));
        if (differences.length === 0) return 'whole';
        expect(result.status, `a restore of ${at} that lacks something`).to.equal('partial');
        expect(result.warningCount).to.be.greaterThan(0);
        for (const file of globSync(join(to, '**/*'), { withFileTypes: true }).filter((entry) => entry.isFile())) {
          const path = join(file.parentPath, file.name);
          const source = join(original, relative(to, path));
          if (existsSync(source)) expect(readFileSync(path).equals(readFileSync(source)), path).to.equal(true);
        }
        return 'partial';
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error;
        const { code, message } = asFailure(error);
        const known = ['repository_damaged', 'chain_broken', 'snapshot_unknown', 'unit_unknown', 'repository_newer'];
        expect(known, `${code}: ${message}`).to.include(code);
        return code;
      } finally {
        rmSync(to, { recursive: true, force: true });
      }
    }

    async function verified(): Promise<Damage[]> {
      const damages: Damage[] = [];
      for (const server of [0, 1] as const) {
        world.use(server);
        damages.push(...(await verify({}, world.context)).damages);
      }
      return damages;
    }

    /** What stays as it is not, is said to. */
    async function repaired(done: ReadonlyMap<string, string>): Promise<void> {
      const said = new Set<string>();
      for (const server of [0, 1] as const) {
        world.use(server);
        const { healed, lost } = await repair({}, world.context);
        for (const { object } of healed) expect(isSound(object), `${object} is said to be healed`).to.equal(true);
        for (const { object } of lost) said.add(object);
      }
      // Recovery data of an object that is lost has nothing to heal any more.
      const isLost = (protectedName: string): boolean => [...said].some((name) => name.endsWith(`/${protectedName}`));
      for (const name of done.keys()) {
        if (isSound(name) || (name.includes('/recovery/') && isLost(basename(name, '.rs')))) continue;
        expect([...said], 'what repair could not heal').to.include(name);
      }
    }

    async function attempt(seed: number): Promise<void> {
      const next = random(seed);
      world.reset();
      const done = damage(next);
      const what = [...done].map(([name, how]) => `${name} ${how}`).join(', ');
      try {
        if (next() < 0.4) {
          await repaired(done);
          for (const name of done.keys()) if (isSound(name)) done.delete(name);
        }
        const damages = await verified();
        const named = new Set(damages.map(({ object }) => object));
        const suffering = new Set(damages.filter(({ object }) => !object.includes('/holds/')).flatMap(({ snapshots }) => snapshots));
        for (const taken of world.taken) {
          const touched = [...done.keys()].filter((name) => taken.needs.has(name));
          const result = await restored(taken, taken.id);
          if (touched.length === 0) {
            expect(result, `${taken.id} needs none of it`).to.equal('whole');
            expect([...suffering], 'named without need').to.not.include(taken.id);
          }
          // A record that is gone has nobody who names it, when nothing builds on it.
          const isThere = existsSync(
            join(world.repository, [...taken.needs].find((name) => name.endsWith(`/snapshots/${taken.id}.json`))!),
          );
          if (result !== 'whole' && isThere) expect([...suffering], `${taken.id}: ${result}`).to.include(taken.id);
        }
        for (const server of [0, 1] as const) {
          const { units } = await world.backUpAll(server);
          expect(
            units.filter(({ error }) => error !== null),
            'the next run',
          ).to.deep.equal([]);
        }
        const newest = [0, 0, 1].map((server, at) => {
          const unit = `site${at + 1}`;
          return { server: server as 0 | 1, unit, original: world.accountOf(unit) };
        });
        for (const each of newest) expect(await restored(each), `the next backup of ${each.unit}`).to.equal('whole');
        const after = (await verified()).map(({ object }) => object);
        expect(
          after.filter((object) => !named.has(object)),
          'damage that came later',
        ).to.deep.equal([]);
        for (const server of [0, 1] as const) {
          world.use(server);
          await prune({ yes: true }, world.context);
        }
        for (const each of newest) expect(await restored(each), `and after a prune, of ${each.unit}`).to.equal('whole');
      } catch (error) {
        throw new Error(`seed ${seed}: ${what}: ${(error as Error).message}`, { cause: error });
      }
    }

    it('is named to the snapshot; all else comes back; the next backup is whole; what repair cannot heal, it says', async () => {
      const wrong: string[] = [];
      for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
        await attempt(2 * seed + (isEncrypted ? 1 : 0)).catch((error) => {
          wrong.push((error as Error).message);
          if (process.env.SLOW === '1') console.error(`        ${(error as Error).message}`);
        });
      }
      expect(wrong).to.deep.equal([]);
    });
  });
}
