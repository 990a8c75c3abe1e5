import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { hold } from '../../core/commands/hold.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import { seal } from '../../core/crypto/seal.ts';
import { FOOTER_BYTES, readFooter, writeFooter } from '../../core/manifest/format/envelope.ts';
import { compressBlock, decompressBlock } from '../../core/manifest/format/frames.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import { withSignature } from '../../core/repository/signatures/signed-document.ts';
import { StolenRepository } from '../authenticity/stolen-repository.ts';
import { failureOf } from '../failure-of.ts';
import { changeSigned, signedBytes } from '../repository/sign.ts';

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const nameOf = (file: string): string => file.slice(file.lastIndexOf('/servers/') + 1);

for (const isEncrypted of [false, true]) {
  describe(`what ${isEncrypted ? 'an encrypting' : 'a'} server signed and cannot have written`, function () {
    this.timeout(60_000);
    const server = new StolenRepository();
    let full: string;
    let last: string;

    before(async () => {
      await server.begin(isEncrypted);
      writeFileSync(join(server.shadow, 'file'), 'one');
      await server.back('full');
      writeFileSync(join(server.shadow, 'file'), 'two');
      await server.back('incremental');
      [full, last] = server.all('units/site1-*/snapshots/*.json') as [string, string];
      await hold({ unit: 'site1', snapshot: basename(full, '.json'), reason: 'a lawsuit' }, server.context);
      server.keep('sound');
    });
    after(() => server.remove());
    afterEach(() => server.putBack('sound'));

    const damages = async () => (await verify(server.given, server.context)).damages.map(({ object }) => object);
    const restored = async (at?: string) => readFileSync(join(await server.restored(at && basename(at, '.json')), 'shadow/file'), 'utf8');

    /** Lets the incremental link to the full as it is now. */
    function relink(): void {
      const link = { id: basename(full, '.json'), sha256: digest(full) };
      changeSigned(last, server.stateDirectory, { parent: link, base: link });
    }

    if (!isEncrypted)
      it('is a manifest with another number of rows than it says: it is named, and restores', async () => {
        const record = JSON.parse(readFileSync(last, 'utf8')) as SnapshotRecord;
        const file = server.one(record.manifest.path);
        const bytes = readFileSync(file);
        const place = readFooter(bytes.subarray(-FOOTER_BYTES), bytes.length, true);
        const index = decompressBlock(bytes.subarray(place.offset, place.offset + place.length), place.contentLength, 'the index');
        // The first section: behind magic, number of sections and eleven lengths, filled up.
        const rowCount = index.readBigUInt64LE(56);
        expect(Number(rowCount)).to.be.within(1, 20);
        index.writeBigUInt64LE(rowCount - 1n, 56);
        const frame = compressBlock(index);
        const footer = writeFooter({ ...place, length: frame.length });
        const forged = Buffer.concat([bytes.subarray(0, place.offset), frame, footer]);
        server.write(file, forged);
        const sha256 = digest(file);
        const where = { offset: place.offset, length: frame.length, sha256: createHash('sha256').update(frame).digest('hex') };
        const manifest = { ...record.manifest, length: forged.length, sha256, index: where };
        changeSigned(last, server.stateDirectory, { manifest });
        const found = (await verify({}, server.context)).damages;
        expect(found.map(({ object }) => object)).to.deep.equal([nameOf(file)]);
        expect(found[0]?.message).to.include('rows');
        expect(await restored(last)).to.equal('two');
      });

    if (!isEncrypted)
      it('is a manifest that names a pack which its record does not: both say that', async () => {
        changeSigned(last, server.stateDirectory, { packs: [] });
        expect((await verify({}, server.context)).damages.map(({ message }) => message).join()).to.include('its record does not name');
        server.log.length = 0;
        const to = join(server.folder, 'unnamed');
        const { status, warnings } = await restore({ unit: 'site1', to }, server.context);
        expect([status, warnings.map(({ message }) => message).join()]).to.deep.equal([
          'partial',
          'a pack that no record of the chain names',
        ]);
      });

    it('is nothing by default', async () => {
      relink();
      expect(await damages()).to.deep.equal([]);
    });

    it('is a record whose signature does not fit, also where a sound one links to it', async () => {
      const bytes = readFileSync(full);
      bytes[bytes.length - 60] = bytes[bytes.length - 60] === 0x41 ? 0x42 : 0x41;
      server.write(full, bytes);
      relink();
      expect(await damages()).to.include(nameOf(full));
      for (const at of [full, last])
        expect(await failureOf(() => restored(at)), at)
          .to.have.property('code')
          .that.is.a('string');
    });

    it('is a record of a key that nobody knows, or without a signature: it is named, and restores while a sound one links to it', async () => {
      const { signature: _, ...document } = JSON.parse(readFileSync(full, 'utf8')) as { signature?: unknown };
      const bare = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
      const sound = readFileSync(full);
      for (const bytes of [bare, withSignature(bare, nameOf(full), server.thief), Buffer.concat([sound, Buffer.from('\n')])]) {
        server.write(full, bytes);
        relink();
        expect(await damages()).to.deep.equal([nameOf(full)]);
        expect([await restored(full), await restored(last)]).to.deep.equal(['one', 'two']);
        // What nothing links to has nobody's word.
        changeSigned(last, server.stateDirectory, { parent: null, base: { id: basename(full, '.json'), sha256: '0'.repeat(64) } });
        expect((await failureOf(() => restored(full))).code).to.equal('repository_damaged');
        server.putBack('sound');
      }
    });

    if (!isEncrypted)
      it('is a manifest with entries outside of the trees of its own chain', async () => {
        changeSigned(full, server.stateDirectory, { roots: [] });
        relink();
        expect(await damages()).to.deep.equal([nameOf(full).replace('snapshots', 'manifests').replace('.json', '.mf.zst')]);
      });

    if (!isEncrypted)
      it('is a strange name among the records: the answer is not the whole one', async () => {
        writeFileSync(join(full, '..', 'README'), 'x');
        const { status, damages: found, warnings } = await verify({}, server.context);
        expect([status, found, warnings.map(({ code }) => code)]).to.deep.equal(['partial', [], ['repository_newer']]);
      });

    if (isEncrypted)
      it('is something sealed that does not open, or says what does not belong there', async () => {
        const unit = server.one('units/site1-*/unit.json');
        for (const file of [last, unit, server.one('holds/*'), server.all('runs/*').at(-1) as string]) {
          const { sealed } = JSON.parse(readFileSync(file, 'utf8')) as { sealed: { keys: string; age: string } };
          const { recipients } = JSON.parse(readFileSync(server.one(`keys/${sealed.keys}.json`), 'utf8')) as { recipients: string[] };
          const sealing = async (content: object) => (await seal(JSON.stringify(content), recipients)).toString('base64');
          const altered = Buffer.from(sealed.age, 'base64');
          altered[altered.indexOf('\n--- ') + 6] = (altered[altered.indexOf('\n--- ') + 6] as number) ^ 3;
          for (const age of [
            'AAAA',
            altered.toString('base64'),
            await sealing({ name: `${nameOf(file)}x`, members: {} }),
            await sealing({ name: nameOf(file), members: { unit: 'site2-00000000' } }),
          ]) {
            server.write(
              file,
              signedBytes({ ...JSON.parse(readFileSync(file, 'utf8')), sealed: { ...sealed, age } }, file, server.stateDirectory),
            );
            expect(await damages(), `${nameOf(file)} ${age.slice(0, 20)}`).to.deep.equal([nameOf(file)]);
          }
          server.putBack('sound');
        }
      });
  });
}
