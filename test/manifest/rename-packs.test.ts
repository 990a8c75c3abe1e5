import { hash } from 'node:crypto';
import { expect } from 'chai';
import type { ManifestRow } from '../../core/manifest/entry.ts';
import { ManifestReader } from '../../core/manifest/read/manifest-reader.ts';
import { renamePacks } from '../../core/manifest/write/rename-packs.ts';
import { failureOf } from '../failure-of.ts';
import { entry, MemoryManifest, write } from './sample.ts';

describe('a manifest whose packs have other names', () => {
  const digest = Buffer.alloc(32, 7);
  const rows = Array.from({ length: 100 }, (_, number): ManifestRow => {
    const extents = [{ pack: `packs/${number % 3}`, frame: number, offset: 1, length: 5, digest }];
    return entry(`file-${String(number).padStart(3, '0')}`, 'file', { size: 5, content: { digest, extents } });
  });
  const { bytes, finished } = write(rows, 7);
  const { offset } = finished.index;
  const sealed = (pack: string): string => (pack.endsWith('0') ? pack : `${pack}.age`);

  it('is the same but for them, and its blocks to the byte', () => {
    const end = renamePacks(bytes.subarray(offset), offset, sealed);
    const renamed = Buffer.concat([bytes.subarray(0, offset), end.bytes]);
    const expected = { length: renamed.length, sha256: hash('sha256', renamed), index: end.index };
    const reader = ManifestReader.open(new MemoryManifest(renamed), expected);
    reader.verifyWhole(expected.sha256);
    expect(reader.packs).to.deep.equal(['packs/0', 'packs/1.age', 'packs/2.age']);
    const packs = [...reader.rows()].map((row) => ('content' in row ? row.content?.extents[0]?.pack : undefined));
    expect(packs).to.deep.equal(rows.map((_, number) => sealed(`packs/${number % 3}`)));
  });

  it('is what it was where none has', () => {
    expect(renamePacks(bytes.subarray(offset), offset, (pack) => pack)).to.deep.equal({
      bytes: bytes.subarray(offset),
      index: finished.index,
    });
  });

  it('is refused where it does not end as one', async () => {
    const end = Buffer.from(bytes.subarray(offset));
    const altered = Buffer.from(end);
    altered[5] = ~(altered[5] as number) & 0xff;
    for (const [wrong, at] of [
      [end.subarray(0, 10), offset],
      [end.subarray(1), offset],
      [end, offset - 1],
      [altered, offset],
    ] as const)
      expect(await failureOf(async () => renamePacks(wrong, at, sealed))).to.include({ code: 'repository_damaged' });
  });
});
