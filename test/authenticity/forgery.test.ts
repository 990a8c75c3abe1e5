import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { hold } from '../../core/commands/hold.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { failureOf } from '../failure-of.ts';
import { StolenRepository } from './stolen-repository.ts';

const ALL = process.env.SLOW === '1';

for (const isEncrypted of [false, true]) {
  describe(`a thief who can write to ${isEncrypted ? 'an encrypted' : 'a plain'} repository`, function () {
    this.timeout(ALL ? 600_000 : 60_000);
    const server = new StolenRepository();
    let [full, first, last] = ['', '', ''];

    before(async () => {
      await server.begin(isEncrypted);
      server.addAccount('site2');
      writeFileSync(join(server.shadow, 'file'), 'one');
      full = (await server.back('full')).snapshot as string;
      writeFileSync(join(server.shadow, 'file'), 'two');
      first = (await server.back('incremental')).snapshot as string;
      server.keep('earlier');
      writeFileSync(join(server.shadow, 'file'), 'three');
      last = (await server.back('incremental')).snapshot as string;
      await run({ units: ['site2'] }, server.context);
      await hold({ unit: 'site1', snapshot: full, reason: 'a lawsuit' }, server.context);
      server.keep('sound');
    });
    after(() => server.remove());
    afterEach(() => server.putBack('sound'));

    const record = (id: string) => server.one(`units/*/snapshots/${id}.json`);
    const objectOf = (file: string) => file.slice(file.indexOf('/servers/') + '/servers/0123456789abcdef/'.length);

    /** What was done to the account's newest record is named, other snapshots restore, and the next run stores what is there. */
    async function expectRefused(id: string): Promise<void> {
      expect(await server.damages()).to.include(`repository_damaged ${objectOf(record(id))}`);
      expect(await server.usable()).to.deep.equal([full, first, last].filter((each) => each !== id));
      expect(await failureOf(() => server.restored(id))).to.include({ code: 'repository_damaged' });
      expect(readFileSync(join(await server.restored(full), 'shadow/file'), 'utf8')).to.equal('one');
      const next = await server.back('incremental');
      expect(next).to.include({ error: null });
      expect(readFileSync(join(await server.restored(next.snapshot as string), 'shadow/file'), 'utf8')).to.equal('three');
    }

    it('finds nothing wrong in what the server wrote', async () => {
      expect(await server.damages(false)).to.deep.equal([]);
      expect(server.codes()).to.not.include('not_authenticated').and.to.not.include('history_missing');
    });

    for (const isSigned of [true, false]) {
      it(`cannot forge a record, ${isSigned ? 'signed with a key of his own' : 'without a signature'}`, async () => {
        server.forge(record(last), { level: 'full', base: null, parent: null, synthetic: false }, record(last), isSigned);
        await expectRefused(last);
      });
    }

    it('cannot put an older record, or one of another unit, in the place of one', async () => {
      const [other] = server.all('units/site2-*/snapshots/*') as [string];
      for (const source of [record(first), other]) {
        server.putBack('sound');
        writeFileSync(record(last), readFileSync(source));
        await expectRefused(last);
      }
    });

    it('cannot bring a record of another unit or server into a folder under its own name', async () => {
      const [other] = server.all('units/site2-*/snapshots/*') as [string];
      const planted = join(record(last), '..', basename(other));
      copyFileSync(other, planted);
      expect(await server.damages()).to.deep.equal([`repository_damaged ${objectOf(planted)}`]);
      rmSync(planted);
      // The same folder below another server's id.
      const copy = join(server.repository, 'servers', 'f'.repeat(16));
      server.write(join(copy, 'server.json'), readFileSync(server.one('server.json')));
      const path = objectOf(record(last));
      server.write(join(copy, path), readFileSync(record(last)));
      const { damages } = await verify({ server: 'f'.repeat(16), quick: true, ...server.given }, server.context);
      expect(damages.map(({ object }) => object)).to.include(`servers/${'f'.repeat(16)}/${path}`);
    });

    it('swaps packs, manifests or records, and each is named (case 21)', async () => {
      for (const folder of ['packs', 'manifests', 'snapshots']) {
        server.putBack('sound');
        const [one, two] = server.all(`units/site1-*/${folder}/*`).slice(-2) as [string, string];
        renameSync(one, `${one}.x`);
        renameSync(two, one);
        renameSync(`${one}.x`, two);
        const found = await server.damages(false);
        // Which of the two it is depends on whether their lengths differ.
        const named = found.map((damage) => damage.replace(/^(repository_damaged|digest_mismatch) /, ''));
        for (const file of [one, two]) expect(named, folder).to.include(objectOf(file));
      }
    });

    it('changes one byte anywhere in a signed object, and that is named', async () => {
      const objects = ['server.json', 'units/site1-*/unit.json', `units/*/snapshots/${first}.json`, 'runs/*', 'holds/*', 'keys/*.json'];
      for (const object of objects.flatMap((pattern) => server.all(pattern).slice(0, 1))) {
        const bytes = readFileSync(object);
        const step = ALL ? 7 : Math.ceil(bytes.length / 3);
        for (let at = bytes.length - 1; at >= 0; at -= step) {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] as number) ^ 1;
          server.write(object, changed);
          expect((await server.damages()).join(), `${object} at ${at}`).to.include(objectOf(object));
        }
        server.write(object, bytes);
      }
    });
  });
}
