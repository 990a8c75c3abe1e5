import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Content, Entry, EntryKind, ManifestRow } from '../../core/manifest/entry.ts';
import { comparePaths } from '../../core/manifest/path-order.ts';
import { ManifestReader } from '../../core/manifest/read/manifest-reader.ts';
import { arranged, digestOf, entry, MemoryManifest, sensible, write, written } from './sample.ts';

const byteString = (most: number) => fc.uint8Array({ minLength: 1, maxLength: most }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const name = fc
  .oneof(fc.constantFrom('a', 'b', 'a-b', 'a.b', '...', '\n', '\xff\xfe', ' ', '-rf', '<script>'), byteString(12))
  .filter((text) => text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0'));

const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'));

const time = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
const safe = fc.oneof(fc.nat(), fc.maxSafeNat());
const u32 = fc.nat({ max: 0xffff_ffff });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

/** Content and the size of the file that has it: with holes between the ranges, or none. */
const content: fc.Arbitrary<{ content: Content; size: number }> = fc
  .tuple(
    digest,
    fc.array(
      fc.record({
        pack: fc.constantFrom('packs/1', 'packs/2', 'other/packs/3'),
        frame: u32,
        offset: u32,
        length: fc.integer({ min: 1, max: 2 ** 50 }),
        digest,
      }),
      { maxLength: 4 },
    ),
    fc.boolean(),
    fc.nat({ max: 1000 }),
  )
  .map(([whole, found, isSparse, hole]) => {
    const extents = found.length === 1 ? found.map((extent) => ({ ...extent, digest: whole })) : found;
    let end = 0;
    const sparse = extents.map(({ length }) => {
      const offset = end + hole;
      end = offset + length;
      return { offset, length };
    });
    if (isSparse || extents.length === 0) return { content: { digest: whole, extents, sparse }, size: end + hole + 1 };
    return { content: { digest: whole, extents }, size: extents.reduce((sum, { length }) => sum + length, 0) };
  });

const free = (most: number) => byteString(most).filter((text) => !text.includes('\0'));
const xattrs = fc.uniqueArray(fc.record({ name: free(10), value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) }), {
  maxLength: 3,
  selector: (xattr) => xattr.name,
});
const owner = fc.nat({ max: 0xffff_fffe });

const row: fc.Arbitrary<ManifestRow> = fc.oneof(
  path.map((at): ManifestRow => ({ path: at, kind: 'tombstone' })),
  fc
    .record({
      path,
      kind: fc.constantFrom<EntryKind>('file', 'directory', 'directory', 'symlink', 'fifo', 'socket', 'character-device', 'block-device'),
      mode: fc.nat({ max: 0o7777 }),
      uid: owner,
      gid: owner,
      size: safe,
      mtime: time,
      ctime: time,
      device: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      linkCount: u32,
      xattrs,
      inodeFlags: u32,
      flags: fc.nat({ max: 255 }),
    })
    .chain((plain): fc.Arbitrary<ManifestRow> => {
      if (plain.kind === 'file')
        return fc
          .option(content, { nil: undefined })
          .map((has) => sensible({ ...plain, ...has, ...(has === undefined ? {} : { flags: plain.flags & ~2 }) }));
      if (plain.kind === 'symlink') return free(50).map((linkTarget) => ({ ...plain, linkTarget }));
      if (plain.kind.endsWith('device'))
        return fc.tuple(u32, u32).map(([major, minor]) => sensible({ ...plain, deviceNumber: { major, minor } }));
      return fc.constant(sensible(plain));
    }),
);

const rows = fc.array(row, { maxLength: 40 }).map(arranged);

describe('manifest: writing and reading', () => {
  it('gives back every property of every row, in blocks of any size', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (list, rowsPerBlock) => {
        const reader = written(list, rowsPerBlock);
        expect([...reader.rows()]).to.deep.equal(list);
        expect(reader.rowCount).to.equal(list.length);
      }),
      { numRuns: 200 },
    );
  });

  it('begins anywhere, finds each path and nothing else, in one block', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 10 }), fc.array(path, { maxLength: 20 }), (list, rowsPerBlock, others) => {
        const { bytes, finished } = write(list, rowsPerBlock);
        for (const wanted of [...list.map((each) => each.path), ...others]) {
          const source = new MemoryManifest(bytes);
          const reader = ManifestReader.open(source, finished);
          const before = source.reads.length;
          expect(reader.find(wanted)).to.deep.equal(list.find((each) => each.path === wanted));
          expect(source.reads.length - before).to.be.at.most(1);
          expect([...reader.rows(wanted)]).to.deep.equal(list.filter((each) => comparePaths(each.path, wanted) >= 0));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is one valid zstd stream for the zstd tool', function () {
    const { bytes } = write([entry('a', 'directory'), entry('a/file'), entry('b')], 1);
    const tested = spawnSync('zstd', ['-t'], { input: bytes });
    if (tested.error) this.skip();
    expect(tested.status, String(tested.stderr)).to.equal(0);
  });

  it('says where its index is and what it and the whole hash to', () => {
    const { bytes, finished } = write([entry('x/y'), entry('z')]);
    expect(finished.length).to.equal(bytes.length);
    expect(finished.sha256).to.equal(digestOf(bytes.toString('latin1')).toString('hex'));
    const index = bytes.subarray(finished.index.offset, finished.index.offset + finished.index.length);
    expect(finished.index.sha256).to.equal(digestOf(index.toString('latin1')).toString('hex'));
    ManifestReader.open(new MemoryManifest(bytes), finished).verifyWhole(finished.sha256);
  });

  it('numbers packs by first use', () => {
    const lies = (pack: string): Partial<Entry> => {
      const digest = digestOf(pack);
      return { size: 5, content: { digest, extents: [{ pack, frame: 0, offset: 0, length: 5, digest }] } };
    };
    const list = [entry('a', 'file', lies('p/2')), entry('b', 'file', lies('p/1')), entry('c', 'file', lies('p/2'))];
    const { bytes, finished } = write(list);
    expect(finished.packs).to.deep.equal(['p/2', 'p/1']);
    expect(ManifestReader.open(new MemoryManifest(bytes)).packs).to.deep.equal(['p/2', 'p/1']);
  });

  it('holds nothing', () => {
    const reader = written([]);
    expect([...reader.rows()]).to.deep.equal([]);
    expect(reader.find('a')).to.equal(undefined);
    expect(reader.rowCount).to.equal(0);
  });

  it('holds a tree of 2,000 levels, cut into blocks anywhere', () => {
    const names = Array.from({ length: 2000 }, (_, level) => `level-${level}`);
    const deep = names.map((_, level) => entry(names.slice(0, level + 1).join('/'), 'directory'));
    const list = [...deep, entry(`${deep.at(-1)?.path}/file`), entry('next')];
    for (const rowsPerBlock of [7, 1024]) {
      const reader = written(list, rowsPerBlock);
      expect([...reader.rows()].map((each) => each.path)).to.deep.equal(list.map((each) => each.path));
      expect(reader.find(list[1500]?.path as string)).to.deep.equal(list[1500]);
    }
    const lone = written([entry(names.join('/')), entry('z')], 16);
    expect([...lone.rows()].map((each) => each.path)).to.deep.equal([names.join('/'), 'z']);
    expect(lone.rowCount).to.equal(2);
  });

  it('holds a directory of 30,000 names', () => {
    const list = [
      entry('d', 'directory'),
      ...Array.from({ length: 30_000 }, (_, n) => entry(`d/${String(n).padStart(6, '0')}`)),
      entry('e'),
    ];
    const reader = written(list);
    expect(reader.find('d/029999')).to.deep.equal(list[30_000]);
    expect(reader.find('d/03')).to.equal(undefined);
    expect([...reader.rows('d/029998')].map((each) => each.path)).to.deep.equal(['d/029998', 'd/029999', 'e']);
  });

  it('closes a block early when a file has very many extents', () => {
    const extents = Array.from({ length: 200_000 }, (_, n) => ({
      pack: 'p/1',
      frame: n,
      offset: n,
      length: 2 ** 32 + n,
      digest: digestOf(String(n)),
    }));
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    const big = entry('a', 'file', { size, content: { digest: digestOf('all'), extents } });
    const reader = written([big, { ...big, path: 'b' }, entry('c')]);
    expect(reader.blockCount).to.equal(3);
    const found = reader.find('b') as Entry;
    expect(found.content?.extents.at(-1)).to.deep.equal(extents.at(-1));
    expect(found.content?.extents.length).to.equal(extents.length);
  });

  it('stores a repeated set of attributes once in a block', () => {
    const acl = () => [{ name: 'system.posix_acl_access', value: Buffer.from('0200000001000700', 'hex') }];
    const list = Array.from({ length: 500 }, (_, n) => entry(String(n).padStart(4, '0'), 'file', { xattrs: acl() }));
    const [first, second] = [...written(list).rows()] as Entry[];
    expect(first?.xattrs).to.deep.equal(acl());
    expect(second?.xattrs).to.equal(first?.xattrs);
  });

  it('comes back to a row by block and number', () => {
    const list = Array.from({ length: 100 }, (_, n) => entry(`deep/er/${String(n).padStart(3, '0')}/file`));
    const reader = written(list, 16);
    const seen: unknown[] = [];
    for (let block = 0; block < reader.blockCount; block++) {
      const view = reader.block(block);
      for (let at = 0; at < view.rows; at++) if (view.kind[at] !== 0) seen.push(reader.readAt(block, at));
    }
    expect(seen).to.deep.equal(list);
    expect(() => reader.readAt(0, 0)).to.throw(RangeError);
    expect(() => reader.readAt(99, 0)).to.throw(RangeError);
  });
});

describe('manifest: what the writer refuses', () => {
  const refused = (...list: ManifestRow[]) =>
    expect(() => write(list))
      .to.throw()
      .with.property('code', 'internal');

  it('rows out of order, also where a plain comparison of strings would take them', () => {
    refused(entry('b'), entry('a'));
    refused(entry('a'), entry('a'));
    refused(entry('a-b'), entry('a/b'));
    refused(entry('a/b'), entry('a', 'directory'));
    expect(() => write([entry('a', 'directory'), entry('a/b'), entry('a-b')])).not.to.throw();
  });

  it('rows below a tombstone or a file', () => {
    refused(entry('a'), entry('a/b'));
    refused({ path: 'a', kind: 'tombstone' }, entry('a/b/c'));
  });

  it('paths that are none', () => {
    for (const path of ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/./b', 'a/../b', '../a', 'a\0b', 'x/a\0/b']) refused(entry(path));
  });
});
