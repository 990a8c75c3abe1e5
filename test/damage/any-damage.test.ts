import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { asFailure } from '../../core/failure.ts';
import { EXIT, exitCodeOfFailure, exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { FullServer } from './full-server.ts';
import { type Case, casesOf, DAMAGES, type Damage, KINDS, type Kind, objectsOf } from './kinds.ts';

const ALL = process.env.SLOW === '1';
/** How many places of each object a bit is flipped at. */
const FLIPS = ALL ? 200 : 2;
/** At how many of them all that it costs is looked at: restores, a run and a prune for each take seconds, and there are some 50 objects. */
const COSTLY_FLIPS = ALL ? Number(process.env.FLIPS ?? 3) : 2;

/** The kinds without which something cannot be restored. */
const BACKUPS: readonly string[] = ['snapshot record', 'manifest', 'pack'];

/** The kinds that every run or prune looks at: it says what it cannot use of them. Of server.json and the machine records it says the first. */
const READ: readonly string[] = ['server.json', 'note', 'locked identity', 'hold', ...(ALL ? ['machine record'] : [])];

/** The object of a kind that is damaged together with others: no snapshot loses two of them, so that none hides another. */
function chosen(kind: Kind, server: string): string {
  const place: Record<string, number> = { 'recovery data': 0, manifest: 2, pack: 1 };
  return objectsOf(kind, server).at(place[kind.kind] ?? -1) as string;
}

for (const isEncrypted of [false, true]) {
  describe(`whatever happens to an object of ${isEncrypted ? 'an encrypted' : 'a plain'} repository`, function () {
    this.timeout(ALL ? 12 * 3_600_000 : 600_000);
    const server = new FullServer();
    let restores = 0;

    before(() => server.fill(isEncrypted));
    after(() => server.remove());

    const casesOfKind = (kind: Kind, path: string, flips = COSTLY_FLIPS): Case[] => [...casesOf(kind, path, server.server, flips)];

    /** Restores a snapshot; throws when what came out is neither what went in nor named. Returns whether all of it is there. */
    async function restored(unit: string, at: string | undefined, original: string): Promise<boolean> {
      const to = join(server.folder, `restored-${++restores}`);
      try {
        const result = await restore({ unit, to, ...(at === undefined ? {} : { at }) }, server.context);
        const differences = (
          await Promise.all(['shadow', 'info'].map((root) => compareTrees(join(original, root), join(to, root))))
        ).flat();
        if (result.status === 'ok') {
          expect(differences, 'a restore that says ok').to.deep.equal([]);
          return true;
        }
        expect(exitCodeOfResult(result)).to.equal(EXIT.partial);
        expect(result.warningCount).to.be.greaterThan(0);
        const entries = globSync(join(to, '**/*'), { withFileTypes: true });
        expect(entries.length, 'what a partial restore gave back').to.be.greaterThan(0);
        // What is there as a file has the right bytes: none is made of something else.
        for (const file of entries.filter((entry) => entry.isFile())) {
          const path = join(file.parentPath, file.name);
          const source = join(original, relative(to, path));
          if (existsSync(source)) expect(readFileSync(path).equals(readFileSync(source)), relative(to, path)).to.equal(true);
        }
        return false;
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error;
        const { code, message } = asFailure(error);
        const codes = ['repository_damaged', 'chain_broken', 'snapshot_unknown', 'unit_unknown', 'repository_newer'];
        expect(codes, `${code}: ${message}`).to.include(code);
        expect(exitCodeOfFailure(code)).to.not.equal(EXIT.ok);
        return false;
      } finally {
        rmSync(to, { recursive: true, force: true });
      }
    }

    /** Compares what a verification says with what happened. */
    async function named(cases: readonly Case[]): Promise<void> {
      const { status, damages } = await verify({}, server.context);
      const objects = damages.map(({ object }) => object);
      for (const { object, verdict, what } of cases) {
        const isNamed = objects.some((each) => each.endsWith(`/${object}`));
        if (verdict === 'named') expect(isNamed, `${what}, named among ${objects.join(' ')}`).to.equal(true);
        if (verdict === 'named') expect(status, what).to.equal('damaged');
        if (verdict === 'unnoticed') expect(isNamed, what).to.equal(false);
      }
    }

    /** Whether a snapshot needs none of the damaged objects. */
    function isUntouched(at: number, cases: readonly Case[]): boolean {
      const needed = at === 0 ? [server.ids[0] as string] : server.ids.slice(1, at + 1);
      return !cases.some(
        ({ kind, object, how }) => BACKUPS.includes(kind.kind) && how !== 'copied' && needed.some((id) => object.includes(id)),
      );
    }

    /** A prune goes on; but of a unit of which a record cannot be read it deletes nothing and names that, for nobody knows what it needs. */
    async function pruned(cases: readonly Case[]): Promise<void> {
      const { units } = await prune({ yes: true }, server.context);
      expect(units.map(({ unit }) => unit)).to.include.members(['site1', 'site2']);
      const left = units.filter(({ status }) => status !== 'ok');
      const record = cases.find(({ kind }) => kind.kind === 'snapshot record')?.object;
      if (record === undefined) expect(left).to.deep.equal([]);
      for (const { unit, status, reason } of left) {
        expect({ unit, status }).to.deep.equal({ unit: 'site1', status: 'skipped' });
        expect(reason).to.include(record);
      }
    }

    async function check(cases: readonly Case[]): Promise<void> {
      server.reset();
      for (const { apply } of cases) apply();
      await named(cases);
      // What can be seen without reading it all, a run sees by itself.
      if (cases.every(({ how }) => !['flipped', 'replaced'].includes(how))) {
        server.reset();
        for (const { apply } of cases) apply();
      }
      // Nothing beside it is touched: the other account, and the snapshots that do not need it.
      if (ALL || cases.length > 1) {
        const other = join(server.folder, 'virtual/site2');
        expect(await restored('site2', undefined, other), 'the other account').to.equal(true);
      }
      for (const [at, id] of server.ids.entries()) {
        if (!ALL && at !== 0 && at !== server.ids.length - 1) continue;
        const isWhole = await restored('site1', id, server.expected.get(id) as string);
        if (isUntouched(at, cases)) expect(isWhole, `${id} needs nothing of it`).to.equal(true);
      }
      server.log.length = 0;
      const outcome = await server.back();
      expect(outcome.error, JSON.stringify(outcome)).to.equal(null);
      const told = server.log.map(({ message }) => message).join(' ');
      for (const { kind, how, object } of cases) {
        if (!kind.isPutBack || how === 'copied') continue;
        expect(told).to.include(object);
        expect(readFileSync(join(server.server, object)).equals(server.original(object)), `${object} is put back`).to.equal(true);
      }
      if (ALL) expect(await restored('site1', undefined, server.site), 'the backup after it').to.equal(true);
      await pruned(cases);
      const said = server.log.map(({ message }) => message).join(' ');
      for (const { kind, how, object } of cases) {
        // For a plain server a passphrase opens nothing that is stored from now on.
        const isRead = READ.includes(kind.kind) && (isEncrypted || kind.kind !== 'locked identity');
        if (isRead && how !== 'missing' && how !== 'copied') expect(said).to.include(object);
      }
      expect(await restored('site1', undefined, server.site), 'the backup after it, and after the prune').to.equal(true);
    }

    /** With SLOW=1 each damage of each object alone. Else the objects that no restore needs at once, and one damage of each of the others. */
    function* shares(): Generator<readonly Case[]> {
      server.reset();
      if (ALL) {
        for (const kind of KINDS)
          for (const path of objectsOf(kind, server.server)) for (const each of casesOfKind(kind, path)) yield [each];
        return;
      }
      const turn = isEncrypted ? 3 : 0;
      const ofHow = (kind: Kind, how: Damage): Case | undefined =>
        casesOfKind(kind, chosen(kind, server.server)).findLast((each) => each.how === how);
      const others = KINDS.filter(({ kind }) => !BACKUPS.includes(kind));
      yield others.flatMap((kind, at) => ofHow(kind, DAMAGES[(at + turn) % 5] as Damage) ?? []);
      for (const [at, kind] of KINDS.filter((each) => !others.includes(each)).entries()) {
        yield [ofHow(kind, DAMAGES[(at + turn) % 6] as Damage) as Case];
      }
    }

    it('is named, in each kind of object at once', async () => {
      const all = KINDS.flatMap((kind) => casesOfKind(kind, chosen(kind, server.server), FLIPS));
      const wrong: string[] = [];
      for (const how of DAMAGES) {
        const byKind = [
          ...Map.groupBy(
            all.filter((each) => each.how === how),
            ({ kind }) => kind,
          ).values(),
        ];
        const rounds = Math.max(...byKind.map((cases) => cases.length));
        for (let round = 0; round < rounds; round++) {
          server.reset();
          const cases = byKind.flatMap((each) => each[round] ?? []);
          for (const { apply } of cases) apply();
          await named(cases).catch((error) => wrong.push(`${how}: ${(error as Error).message}`));
        }
      }
      expect(wrong).to.deep.equal([]);
      expect(new Set(all.map(({ kind }) => kind)).size).to.equal(KINDS.length);
    });

    it('costs nothing else, and is stored anew by the next backup', async () => {
      const wrong: string[] = [];
      for (const cases of shares()) {
        const what = cases.map((each) => each.what).join(', ');
        await check(cases).catch((error) => {
          wrong.push(`${what}: ${(error as Error).message}`);
          if (ALL) console.error(`        ${wrong.at(-1)}`);
        });
      }
      expect(wrong).to.deep.equal([]);
    });
  });
}
