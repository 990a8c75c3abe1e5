import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { repair } from '../../core/commands/repair.ts';
import { restore } from '../../core/commands/restore.ts';
import { restoreDatabase } from '../../core/commands/restore-database.ts';
import { verify } from '../../core/commands/verify.ts';
import { asFailure } from '../../core/failure.ts';
import type { Damage } from '../../core/schemas/verify.ts';
import { BareMachine, expectedOf, placeOf } from '../golden/golden.ts';
import { type Case, casesOf, DAMAGES, KINDS, objectsOf } from './kinds.ts';

const ALL = process.env.SLOW === '1';
/** How many places of each object a bit is flipped at. */
const FLIPS = ALL ? Number(process.env.FLIPS ?? 25) : 2;
/** Without SLOW=1: of how many cases one is tried. Of what no dump needs fewer. */
const SHARE = { needed: 28, other: 150 };

/** The kinds that a dump needs. */
const NEEDED: readonly string[] = ['snapshot record', 'manifest', 'pack'];

/** What is missed by the state of its own server, or by its settings, alone: this machine has neither. */
const REMEMBERED: readonly string[] = [
  'hold',
  'note',
  'machine record',
  'server.json',
  'deletion',
  'run record',
  'snapshot record',
  'recovery data',
  'key record',
];

for (const [turn, name] of ['complete-plain', 'complete-passphrase'].entries()) {
  describe(`whatever happens to an object of ${name}, which holds dumps of databases`, function () {
    this.timeout(ALL ? 6 * 3_600_000 : 300_000);
    const machine = new BareMachine(name);
    const { snapshots, databases = {} } = expectedOf(name);
    const server = globSync(join(machine.repository, 'servers/*'))[0] as string;
    const passphraseFile = join(placeOf(name), 'passphrase');
    const isPlain = !existsSync(passphraseFile);
    const key = isPlain ? {} : { passphraseFile };
    const originals = new Map(
      globSync(join(server, '**/*'), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name))]),
    );
    const [first, second, third, fourth] = snapshots.map(({ id }) => id) as [string, string, string, string];
    /** The snapshots whose objects each needs. */
    const chains = new Map([
      [first, [first]],
      [second, [first, second]],
      [third, [first, third]],
      [fourth, [first, third, fourth]],
    ]);
    const cases = KINDS.flatMap((kind) => objectsOf(kind, server).flatMap((path) => [...casesOf(kind, path, server, FLIPS)]));
    let restores = 0;

    after(() => machine.remove());

    /** Puts back what is not as it was, and takes away what was not there. A repair noted who it was. */
    function reset(): void {
      rmSync(join(machine.folder, 'state'), { recursive: true, force: true });
      for (const file of globSync(join(server, '**/*'), { withFileTypes: true })) {
        const path = join(file.parentPath, file.name);
        if (file.isFile() && !originals.has(path)) rmSync(path);
      }
      for (const [path, bytes] of originals) {
        if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
      }
      for (const folder of globSync(join(server, 'units/*-00000000'))) rmSync(folder, { recursive: true });
    }

    const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

    /** The dumps of a snapshot that come back, each by its path. One that comes has the right bytes; of one that does not no file is left. */
    async function restoredOneByOne(id: string): Promise<Set<string>> {
      const restored = new Set<string>();
      for (const { engine, name: database, path, content } of databases[id]!) {
        const to = join(machine.folder, `dump-${++restores}`);
        try {
          const result = await restoreDatabase(
            { unit: 'site1', at: id, databases: [`${engine}/${database}`], to, ...key },
            machine.context,
          );
          if (result.status === 'ok') {
            expect(digestOf(to), `${path} of ${id}`).to.equal(content);
            restored.add(path);
          } else {
            expect(result.databases[0]!.error?.code, `${path} of ${id}`).to.equal('repository_damaged');
          }
        } catch (error) {
          requireKnown(error);
        }
        expect(existsSync(to), `a file of ${path} of ${id}`).to.equal(restored.has(path));
        rmSync(to, { force: true });
      }
      return restored;
    }

    /** What the snapshots below one have of a dump. Where a manifest is lost in part, a restore of files gives that, and says so; it is no restore of the dump. */
    function olderContents(id: string, path: string): string[] {
      const below = chains.get(id)!.slice(0, -1);
      return below.flatMap((each) => databases[each]!.filter((dump) => dump.path === path).map(({ content }) => content));
    }

    /** The same with the restore of all files of the account. */
    async function restoredTogether(id: string, hasLostRows: boolean): Promise<Set<string>> {
      const restored = new Set<string>();
      const to = join(machine.folder, `restored-${++restores}`);
      try {
        const { status } = await restore({ unit: 'site1', at: id, to, ...key }, machine.context);
        for (const { path, content } of databases[id]!.filter((each) => existsSync(join(to, each.path)))) {
          const found = digestOf(join(to, path));
          if (found === content) restored.add(path);
          else expect(hasLostRows ? olderContents(id, path) : [], `${path} of ${id} among the files`).to.include(found);
        }
        if (restored.size < databases[id]!.length) expect(status).to.equal('partial');
      } catch (error) {
        requireKnown(error);
      } finally {
        rmSync(to, { recursive: true, force: true });
      }
      return restored;
    }

    function requireKnown(error: unknown): void {
      const { code, message } = asFailure(error);
      if (error instanceof Error && error.name === 'AssertionError') throw error;
      expect(['repository_damaged', 'chain_broken', 'snapshot_unknown', 'unit_unknown'], `${code}: ${message}`).to.include(code);
    }

    /** Whether a verification says of a dump that something is wrong with it, or with what it is found by. */
    function isNamed(damages: readonly Damage[], id: string, path: string): boolean {
      return damages.some(
        ({ object, snapshots: touched, files, fileCount }) =>
          touched.includes(id) &&
          (object.includes('/packs/') ? fileCount > files.length || files.some((file) => 'path' in file && file.path === path) : true),
      );
    }

    /** Of a server that this machine does not know `server.json` may be from before there were signatures: so it looks when its signature alone has lost its form. */
    function looksUnsigned(object: string): boolean {
      try {
        const rest = JSON.parse(readFileSync(join(server, object), 'utf8'));
        const { signature: _, ...original } = JSON.parse(originals.get(join(server, object))!.toString());
        return Object.entries(original).every(([name, value]) => rest[name] === value);
      } catch {
        return false;
      }
    }

    async function check({ kind, how, object, verdict, what, apply }: Case): Promise<void> {
      reset();
      apply();
      // The passphrase opens nothing without it: it is named by who has no key.
      const isOnlyKey = kind.kind === 'locked identity' && !isPlain && how !== 'copied';
      const { status, damages } = await verify(isOnlyKey ? { quick: true } : key, machine.context);
      const isFound = damages.some((each) => each.object.endsWith(`/${object}`));
      const isForgotten = how === 'missing' && REMEMBERED.includes(kind.kind);
      if (verdict === 'named' && !isForgotten && !(kind.kind === 'server.json' && how === 'flipped' && looksUnsigned(object)))
        expect({ status, isFound }, what).to.deep.equal({ status: 'damaged', isFound: true });
      if (verdict === 'unnoticed') expect(isFound, what).to.equal(false);
      if (isOnlyKey) return;
      const isNeeded = NEEDED.includes(kind.kind) && how !== 'copied';
      for (const [id, needed] of chains) {
        const dumps = databases[id]!.map(({ path }) => path);
        const isTouched = isNeeded && needed.some((each) => object.includes(each));
        for (const restored of [await restoredOneByOne(id), await restoredTogether(id, kind.kind === 'manifest')]) {
          if (!isTouched) expect([...restored], `${id} needs nothing of it`).to.have.members(dumps);
          // Of a record that is gone nobody knows what it had.
          const isKnown = !(kind.kind === 'snapshot record' && how === 'missing' && object.includes(id));
          for (const path of dumps.filter((each) => !restored.has(each)))
            if (isKnown) expect(isNamed(damages, id, path), `${path} of ${id} does not come back, and is named`).to.equal(true);
        }
      }
      if (isNeeded) await heal(object, how);
    }

    /** What is healed is as it was; what is not is said to be lost. A bit, or what was added, is always healed. */
    async function heal(object: string, how: string): Promise<void> {
      const { healed, lost } = await repair({}, machine.context);
      const file = join(server, object);
      const isSound = existsSync(file) && readFileSync(file).equals(originals.get(file)!);
      const isSaid = ({ object: said }: { readonly object: string }): boolean => said.endsWith(`/${object}`);
      if (how === 'flipped' || how === 'appended to') expect(isSound, 'healed').to.equal(true);
      expect(healed.some(isSaid), 'said to be healed').to.equal(isSound);
      const isForgotten = how === 'missing' && object.includes('/snapshots/');
      if (!isSound && !isForgotten) expect(lost.some(isSaid), 'said to be lost').to.equal(true);
      if (!isSound) return;
      expect(await verify(key, machine.context)).to.include({ status: 'ok' });
      if (ALL) for (const id of chains.keys()) expect((await restoredOneByOne(id)).size).to.equal(databases[id]!.length);
    }

    /** With SLOW=1 all; else a share, another one for each repository, with each damage and each kind in it. */
    function chosen(): readonly Case[] {
      if (ALL) return cases;
      const [needed, others] = [true, false].map((is) => cases.filter(({ kind }) => NEEDED.includes(kind.kind) === is)) as [Case[], Case[]];
      const every = (list: readonly Case[], share: number): Case[] => list.filter((_, at) => at % share === (turn * 5 + 3) % share);
      return [...every(needed, SHARE.needed), ...every(others, SHARE.other)];
    }

    it('has each kind of object, and each damage of it', () => {
      expect(new Set(cases.map(({ kind }) => kind.kind)).size).to.equal(KINDS.length);
      expect(new Set(cases.map(({ how }) => how)).size).to.equal(DAMAGES.length);
      expect([...chains.keys()]).to.deep.equal(Object.keys(databases));
    });

    it('is named, gives each other dump back, and is healed as far as its recovery data goes', async () => {
      const wrong: string[] = [];
      for (const each of chosen()) {
        await check(each).catch((error) => {
          wrong.push(`${each.what}: ${(error as Error).message}`);
          if (ALL) console.error(`        ${wrong.at(-1)}`);
        });
      }
      expect(wrong).to.deep.equal([]);
    });
  });
}
