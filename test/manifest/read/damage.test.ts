import { execFileSync } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { Failure } from '../../../core/failure.ts';
import type { Entry, ManifestRow } from '../../../core/manifest/entry.ts';
import { BLOCK_MAGIC, BLOCK_SECTIONS, type BlockSection } from '../../../core/manifest/format/block-layout.ts';
import { writeFooter, writeHeader } from '../../../core/manifest/format/envelope.ts';
import { compressBlock, decompressBlock } from '../../../core/manifest/format/frames.ts';
import { CONTEXT, TOMBSTONE } from '../../../core/manifest/format/kinds.ts';
import { BLOCK_ROWS_MAX, DEPTH_MAX } from '../../../core/manifest/format/limits.ts';
import { packSections, unpackSections } from '../../../core/manifest/format/sections.ts';
import { findMerged, mergedEntries } from '../../../core/manifest/merge/merged-entries.ts';
import { type ExpectedManifest, ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { BlockBuilder } from '../../../core/manifest/write/block-builder.ts';
import { IndexBuilder } from '../../../core/manifest/write/index-builder.ts';
import { digestOf, entry, MemoryManifest, write } from '../sample.ts';

const digest = digestOf('content');
const sample: ManifestRow[] = [
  entry('d', 'directory', { xattrs: [{ name: 'user.a', value: Buffer.from('v') }] }),
  entry('d/file', 'file', {
    size: 30,
    content: {
      digest,
      extents: [1, 2].map((frame) => ({ pack: 'p/1', frame, offset: 0, length: 10, digest })),
      sparse: [{ offset: 5, length: 20 }],
    },
  }),
  { path: 'd/gone', kind: 'tombstone' },
  entry('d/link', 'symlink'),
  entry('e/device', 'character-device'),
  entry('f'),
];

/** What an attempt to read everything in every way gives: the rows, or the failure's code. Anything else is a defect. */
function readAll(bytes: Buffer, expected?: ExpectedManifest): ManifestRow[] | string {
  try {
    const reader = ManifestReader.open(new MemoryManifest(bytes), expected);
    const rows = [...reader.rows()];
    for (const row of sample) {
      reader.find(row.path);
      findMerged([reader], row.path);
    }
    for (const _ of mergedEntries([reader]));
    return rows;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

describe('manifest: damage by chance', () => {
  const { bytes, finished } = write(sample, 3);

  it('is found at every byte, and never ends in anything but a failure', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] as number) ^ change;
        expect(readAll(altered, finished), `byte ${at}`).to.equal('repository_damaged');
        const rows = readAll(altered);
        if (typeof rows !== 'string') expect(rows, `byte ${at}, without a record`).to.deep.equal(sample);
      }
    }
  }).timeout(60_000);

  it('is found wherever it is cut, and when something is added', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(readAll(bytes.subarray(0, length), finished)).to.equal('repository_damaged');
      expect(readAll(bytes.subarray(0, length))).to.equal('repository_damaged');
    }
    expect(readAll(Buffer.concat([bytes, Buffer.alloc(1)]), finished)).to.equal('repository_damaged');
    expect(readAll(Buffer.concat([bytes, bytes]))).to.equal('repository_damaged');
  });

  it('is found when it is another manifest of the same length', () => {
    const other = write([...sample.slice(0, -1), entry('g')], 3).bytes;
    expect(readAll(other)).not.to.be.a('string');
    expect(readAll(other, finished)).to.equal('repository_damaged');
  });

  it('is found by the digest of the whole in any byte', () => {
    for (let at = 0; at < bytes.length; at += 7) {
      const source = new MemoryManifest(bytes);
      const reader = ManifestReader.open(source);
      source.bytes.writeUInt8((source.bytes[at] as number) ^ 1, at);
      expect(() => reader.verifyWhole(finished.sha256))
        .to.throw()
        .with.property('code', 'repository_damaged');
      source.bytes.writeUInt8((source.bytes[at] as number) ^ 1, at);
    }
  });

  it('of a newer format version is named as that', () => {
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 16);
    expect(readAll(newer)).to.equal('repository_newer');
  });

  it('in a version that its record, which could be read, does not have is no newer format', () => {
    for (const at of [16, bytes.length - 40 + 24]) {
      const altered = Buffer.from(bytes);
      altered.writeUInt32LE(65_537, at);
      expect(readAll(altered, finished)).to.equal('repository_damaged');
    }
  });
});

/** A manifest of one or more blocks whose digests are all right, as somebody would make it who can write to the repository. */
function forge(blocks: { content: Buffer; firstPath: string; rows: number }[], packs = ['p/1']): Buffer {
  const index = new IndexBuilder();
  const parts = [writeHeader()];
  let offset = writeHeader().length;
  for (const { content, firstPath, rows } of blocks) {
    const frame = compressBlock(content);
    index.add({ offset, length: frame.length, contentLength: content.length, rows, firstPath, digest: hash('sha256', frame, 'buffer') });
    parts.push(frame);
    offset += frame.length;
  }
  const content = index.build(1, packs);
  const frame = compressBlock(content);
  return Buffer.concat([...parts, frame, writeFooter({ offset, length: frame.length, contentLength: content.length })]);
}

/** The block of some rows, with some of its sections replaced. */
function block(
  rows: ManifestRow[],
  change: Partial<Record<BlockSection, (section: Buffer) => Uint8Array>> = {},
): { content: Buffer; firstPath: string; rows: number } {
  const { bytes } = write(rows);
  const reader = ManifestReader.open(new MemoryManifest(bytes));
  const view = reader.block(0);
  const sections = BLOCK_SECTIONS.map((name) => change[name]?.(Buffer.from(view.section(name))) ?? view.section(name));
  return { content: packSections(BLOCK_MAGIC, sections), firstPath: view.path(0), rows: view.rows };
}

const words =
  (...numbers: number[]) =>
  () =>
    new Uint8Array(Uint32Array.from(numbers).buffer);

describe('manifest: damage on purpose', () => {
  const refused = (bytes: Buffer) => expect(readAll(bytes)).to.equal('repository_damaged');

  it('is not seen in an honest forgery, so that the cases below fail for their reason alone', () => {
    expect(readAll(forge([block(sample)]))).to.deep.equal(sample);
  });

  it('names that lead elsewhere', () => {
    for (const name of ['..', '.', '/b', 'b/', '\0b', 'b\0']) {
      const padded = name.padEnd(2, 'x');
      const bytes = forge([
        block([entry('aa', 'directory'), entry('aa/bb')], {
          names: () => Buffer.from(`aa${name.length === 1 ? name : padded}`, 'latin1'),
          nameOffsets: words(0, 2, 2 + Math.min(name.length, padded.length)),
        }),
      ]);
      refused(bytes);
    }
    refused(forge([block([entry('a')], { nameOffsets: words(0, 0), names: () => Buffer.alloc(0) })]));
  });

  it('offsets that reach outside, fall, or leave bytes over', () => {
    const two = [entry('aa'), entry('bb')];
    for (const bad of [
      words(0, 2, 5),
      words(0, 5, 4),
      words(1, 2, 4),
      words(0, 2, 3),
      words(0, 2),
      words(0, 2, 4, 4),
      words(0, 0xffff_ffff, 4),
    ]) {
      refused(forge([block(two, { nameOffsets: bad })]));
    }
    for (const name of [
      'xattrSetOffsets',
      'xattrNameOffsets',
      'xattrValueOffsets',
      'linkOffsets',
      'extentOffsets',
      'extentDigestOffsets',
      'sparseOffsets',
    ] as const) {
      for (const bad of [words(0, 0xffff_ffff), words(0xffff_ffff, 0), words(0, 0), words(), words(5)])
        refused(forge([block(sample, { [name]: bad })]));
    }
  });

  it('columns that are cut, or too long', () => {
    const honest = block(sample);
    const changes: ((section: Buffer) => Uint8Array)[] = [
      (section) => Buffer.concat([section, Buffer.alloc(1, 1)]),
      (section) => Buffer.concat([section, Buffer.alloc(4, 1)]),
      (section) => section.subarray(0, Math.max(section.length - 4, 0)),
    ];
    for (const name of BLOCK_SECTIONS) {
      for (const change of changes) {
        const altered = block(sample, { [name]: change });
        if (!altered.content.equals(honest.content)) refused(forge([altered]));
      }
    }
  });

  it('rows out of order, and rows below what is no directory', () => {
    refused(forge([block([entry('a'), entry('b')], { names: () => Buffer.from('ba') })]));
    refused(forge([block([entry('a'), entry('b')], { names: () => Buffer.from('aa') })]));
    refused(forge([block([entry('a'), entry('b')], { depth: words(0, 1) })]));
    refused(forge([block([entry('a', 'directory'), entry('b')], { depth: words(0, 2) })]));
    refused(forge([block([entry('a', 'directory'), entry('b')], { depth: words(1, 0) })]));
    refused(forge([block([entry('a', 'directory'), entry('b')], { depth: words(0, 0xffff_ffff) })]));
    refused(forge([block([entry('a'), entry('b')], { kind: () => Uint8Array.of(2, 9) })]));
    expect(readAll(forge([block([entry('a', 'directory'), entry('b')], { depth: words(0, 1) })]))).to.be.an('array');
  });

  it('blocks that do not follow one another', () => {
    const first = block([entry('a', 'directory'), entry('a/x')]);
    const file = block([entry('b')]);
    expect(readAll(forge([first, file]))).to.be.an('array');
    refused(forge([file, first]));
    refused(forge([first, first]));
    refused(forge([first, { ...file, firstPath: 'c' }]));
    refused(forge([first, { ...file, rows: 2 }]));
    const below = (parentPath: string, name: string) => ({
      ...block([entry(name)], { parentPath: () => Buffer.from(parentPath), depth: words(parentPath.split('/').length) }),
      firstPath: `${parentPath}/${name}`,
    });
    expect(readAll(forge([first, below('a', 'y')]))).to.be.an('array');
    refused(forge([below('a', 'y')]));
    refused(forge([first, below('a/x', 'y')]));
    refused(forge([first, below('a/w', 'y')]));
    refused(forge([first, below('a', 'w')]));
    refused(forge([first, below('..', 'y')]));
    const open = block([entry('a', 'directory')]);
    expect(readAll(forge([open, below('a', 'y')]))).to.be.an('array');
    refused(forge([open, below('a/b', 'y')]));
  });

  it('a row that lies before the directory in which its block begins', () => {
    const first = block([entry('b', 'directory'), entry('b/x')]);
    const second = (name: string) => ({
      ...block([entry('a'), entry('b')], {
        parentPath: () => Buffer.from('b'),
        depth: words(1, 0),
        names: () => Buffer.from(`y${name}`),
      }),
      firstPath: 'b/y',
    });
    expect(readAll(forge([first, second('c')]))).to.be.an('array');
    refused(forge([first, second('a')]));
    refused(forge([first, second('b')]));
  });

  it('digests of extents that belong to another content', () => {
    const extents = [1, 2].map((frame) => ({ pack: 'p/1', frame, offset: 0, length: 10, digest }));
    const rows = [
      entry('a', 'file', { size: 10, content: { digest, extents: extents.slice(0, 1) } }),
      entry('b', 'file', { size: 20, content: { digest, extents } }),
    ];
    expect(readAll(forge([block(rows, { extentDigestOffsets: words(0, 0, 2) })]))).to.deep.equal(rows);
    refused(forge([block(rows, { extentDigestOffsets: words(0, 1, 2) })]));
  });

  it('numbers that point nowhere or are too large', () => {
    const row = (change: Parameters<typeof block>[1]) => refused(forge([block([sample[1] as Entry], change)]));
    row({ deviceIndex: words(0, 1) });
    row({ xattrSet: words(0, 1) });
    row({ extentPack: words(0, 1) });
    row({ extentLength: words(1, 0x20_0000, 1, 0) });
    row({ size: words(0, 0, 0, 0x20_0000) });
    row({ sparseRanges: words(0, 0x20_0000, 0, 0) });
    row({ contentRows: words(2) });
    row({ sparseRows: words(0xffff_ffff) });
    refused(forge([block(sample)], []));
    for (const pack of ['', '..', '../other/packs/1', '/etc/shadow', 'a//b', 'a\0']) refused(forge([block([entry('a')])], [pack]));
  });

  it('sections that claim more than is there', () => {
    const honest = block(sample);
    for (let section = 0; section < BLOCK_SECTIONS.length; section++) {
      for (const length of [0xffff_ffff, honest.content.length, 0x8000_0000]) {
        const content = Buffer.from(honest.content);
        content.writeUInt32LE(length, 8 + 4 * section);
        refused(forge([{ ...honest, content }]));
      }
    }
  });

  it('any single byte of a block, its digests made right again, ends in a failure or in rows', () => {
    const honest = block(sample);
    for (let at = 0; at < honest.content.length; at++) {
      const content = Buffer.from(honest.content);
      content[at] = (content[at] as number) ^ 0x81;
      readAll(forge([{ ...honest, content }]));
    }
  }).timeout(60_000);

  it('any single byte of the index, its frame made right again, ends in a failure or in rows', () => {
    const { bytes, finished } = write(sample, 2);
    const footer = bytes.subarray(-40);
    const frame = bytes.subarray(finished.index.offset, finished.index.offset + finished.index.length);
    const honest = decompressBlock(frame, footer.readUInt32LE(20), 'the index');
    for (let at = 0; at < honest.length; at++) {
      for (const change of [0x01, 0x81, 0xff]) {
        const content = Buffer.from(honest);
        content[at] = (content[at] as number) ^ change;
        const altered = compressBlock(content);
        const place = { offset: finished.index.offset, length: altered.length, contentLength: content.length };
        readAll(Buffer.concat([bytes.subarray(0, finished.index.offset), altered, writeFooter(place)]));
      }
    }
  }).timeout(60_000);

  it('a block that unpacks to far more than it says', () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
    expect(() => decompressBlock(bomb, 1000, 'a block'))
      .to.throw()
      .with.property('code', 'repository_damaged');
    expect(() => decompressBlock(Buffer.concat([compressBlock(Buffer.alloc(9)), Buffer.from('more')]), 9, 'a block')).to.throw(Failure);
    expect(() => decompressBlock(compressBlock(Buffer.alloc(9)), 10, 'a block')).to.throw(Failure);
  });

  it('a block or an index that is not one frame', () => {
    const [content, skippable] = [Buffer.from('content'), Buffer.from('502a4d180400000061626364', 'hex')];
    const whole = compressBlock(content);
    expect(decompressBlock(whole, content.length, 'a block')).to.deep.equal(content);
    // RLE blocks, several blocks, no content size, no checksum: all are one frame.
    for (const other of [Buffer.alloc(300_000), randomBytes(300_000), Buffer.alloc(1)])
      expect(decompressBlock(compressBlock(other), other.length, 'a block')).to.deep.equal(other);
    const bare = execFileSync('zstd', ['-cq', '--no-check', '--no-content-size'], { input: content });
    expect(decompressBlock(bare, content.length, 'a block')).to.deep.equal(content);
    for (const frames of [
      [compressBlock(content.subarray(0, 3)), compressBlock(content.subarray(3))],
      [whole, compressBlock(Buffer.alloc(0))],
      [whole, skippable],
      [skippable, whole],
      [whole.subarray(0, -1)],
      [whole.subarray(0, 8)],
    ])
      expect(() => decompressBlock(Buffer.concat(frames), content.length, 'a block'))
        .to.throw()
        .with.property('code', 'repository_damaged');
  });

  it('more rows in a block, and deeper ones, than anything costs a bounded time for', () => {
    const many = (rows: number): { content: Buffer; firstPath: string; rows: number } => {
      const builder = new BlockBuilder(rows);
      for (let row = 0; row < rows; row++) builder.addBare(0, String(row).padStart(7, '0'), TOMBSTONE);
      return { content: builder.build(''), firstPath: '0000000', rows };
    };
    expect(() => ManifestReader.open(new MemoryManifest(forge([many(BLOCK_ROWS_MAX)]))).block(0)).not.to.throw();
    // As the index says it, and as it says less.
    refused(forge([many(BLOCK_ROWS_MAX + 1)]));
    refused(forge([{ ...many(BLOCK_ROWS_MAX + 1), rows: BLOCK_ROWS_MAX }]));
    const deep = (depth: number): { content: Buffer; firstPath: string; rows: number } => {
      const builder = new BlockBuilder(depth + 1);
      for (let row = 0; row <= depth; row++) builder.addBare(row, 'd', CONTEXT);
      return { content: builder.build(''), firstPath: 'd', rows: depth + 1 };
    };
    expect(() => ManifestReader.open(new MemoryManifest(forge([deep(DEPTH_MAX)]))).block(0)).not.to.throw();
    refused(forge([deep(DEPTH_MAX + 1)]));
  });

  it('a container with another magic or number of sections', () => {
    const packed = packSections(1, [Buffer.from('abc')]);
    expect(unpackSections(packed, 1, 1, 'it').map(String)).to.deep.equal(['abc']);
    for (const [magic, count] of [
      [2, 1],
      [1, 0],
      [1, 2],
    ] as const)
      expect(() => unpackSections(packed, magic, count, 'it')).to.throw(Failure);
    expect(() => unpackSections(Buffer.concat([packed, Buffer.alloc(8)]), 1, 1, 'it')).to.throw(Failure);
    expect(() => unpackSections(Buffer.alloc(0), 1, 1, 'it')).to.throw(Failure);
  });
});
