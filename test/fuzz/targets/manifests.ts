import { createHash } from 'node:crypto';
import { BLOCK_MAGIC, BLOCK_SECTIONS } from '../../../core/manifest/format/block-layout.ts';
import { word } from '../../../core/manifest/format/columns.ts';
import { writeFooter, writeHeader } from '../../../core/manifest/format/envelope.ts';
import { compressBlock } from '../../../core/manifest/format/frames.ts';
import { INDEX_MAGIC, INDEX_SECTIONS } from '../../../core/manifest/format/index-layout.ts';
import { packSections, unpackSections } from '../../../core/manifest/format/sections.ts';
import { mergedEntries } from '../../../core/manifest/merge/merged-entries.ts';
import { BlockView } from '../../../core/manifest/read/block-view.ts';
import { ManifestIndex } from '../../../core/manifest/read/manifest-index.ts';
import { ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { IndexBuilder } from '../../../core/manifest/write/index-builder.ts';
import { entry, MemoryManifest, write } from '../../manifest/sample.ts';
import type { Target } from '../target.ts';

const REFUSED = ['repository_damaged', 'repository_newer'] as const;
const PACKS = [
  'units/site1-1f3a9c2e/packs/20261101T030000123Z-5be0a6c1-0001.tar.zst',
  'units/site1-1f3a9c2e/packs/20261101T030000123Z-5be0a6c1-0002.tar.zst',
];

/** A manifest with every kind of row. */
function sampleManifest(rowsPerBlock: number): Buffer {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const extent = (pack: number, frame: number, length: number, text: string) => ({
    pack: PACKS[pack] as string,
    frame,
    offset: 512,
    length,
    digest: digest(text),
  });
  const file = (path: string, size: number, more: object = {}) =>
    entry(path, 'file', { size, content: { digest: digest(path), extents: [extent(0, 1, size, path)] }, ...more });
  const pieces = { digest: digest('whole'), extents: [extent(0, 2, 1000, 'x'), extent(1, 0, 24, 'y')] };
  const rows = [
    entry('shadow', 'directory', { xattrs: [{ name: 'user.one', value: Buffer.from('1') }] }),
    file('shadow/a', 10, { linkCount: 2 }),
    { path: 'shadow/b', kind: 'tombstone' as const },
    entry('shadow/device', 'character-device', { deviceNumber: { major: 0, minor: 0 } }),
    entry('shadow/fifo', 'fifo'),
    entry('shadow/folder', 'directory', { projectId: 7 }),
    file('shadow/folder/linked', 10, { linkCount: 2 }),
    entry('shadow/folder/pieces', 'file', { size: 1024, content: pieces }),
    entry('shadow/folder/sparse', 'file', {
      size: 100_000,
      content: { digest: digest('s'), extents: [extent(1, 3, 4096, 's')], sparse: [{ offset: 8192, length: 4096 }] },
    }),
    entry('shadow/pointer', 'symlink', { linkTarget: 'a', size: 1 }),
    entry('shadow/socket', 'socket'),
  ];
  return write(rows, rowsPerBlock).bytes;
}

/** Cuts an input into as many sections as a container has: each as long as its two bytes say, the last as long as all that is left. */
function sectionsOf(input: Buffer, count: number): Buffer[] {
  const sections: Buffer[] = [];
  let at = 2 * count;
  for (let section = 0; section < count; section++) {
    const length = 2 * section + 2 <= input.length ? input.readUInt16LE(2 * section) : 0;
    const end = Math.min(input.length, at + length);
    sections.push(input.subarray(Math.min(at, end), end));
    at = end;
  }
  return sections;
}

function asInput(sections: readonly Buffer[]): Buffer {
  const lengths = Buffer.alloc(2 * sections.length);
  for (const [section, { length }] of sections.entries()) lengths.writeUInt16LE(length, 2 * section);
  return Buffer.concat([lengths, ...sections]);
}

/** A whole manifest with one block, of which all digests are right. */
function manifestOf(block: Buffer, view: BlockView): Buffer {
  const index = new IndexBuilder();
  const frame = compressBlock(block);
  index.add({
    offset: writeHeader().length,
    length: frame.length,
    contentLength: block.length,
    rows: view.rows,

    firstPath: view.path(0),
    digest: createHash('sha256').update(frame).digest(),
  });
  const content = index.build(view.kind.filter((kind) => kind > 0).length, PACKS);
  const packed = compressBlock(content);
  const offset = writeHeader().length + frame.length;
  return Buffer.concat([writeHeader(), frame, packed, writeFooter({ offset, length: packed.length, contentLength: content.length })]);
}

/** Reads all that a manifest says, in every way that the program reads. */
function readAll(reader: ManifestReader): void {
  let rows = 0;
  for (const row of reader.rows()) {
    if (++rows > 2000) return;
    if (reader.find(row.path)?.path !== row.path) throw new Error(`${JSON.stringify(row.path)} is there and not found`);
    reader.ceiling(row.path);
  }
  for (const _ of mergedEntries([reader])) if (++rows > 4000) return;
}

export const manifestTargets: readonly Target[] = [
  {
    name: 'manifest-block',
    refuses: REFUSED,
    seeds: () =>
      [3, 1024].flatMap((rows) => {
        const reader = ManifestReader.open(new MemoryManifest(sampleManifest(rows)));
        return Array.from({ length: reader.blockCount }, (_, number) =>
          asInput(BLOCK_SECTIONS.map((name) => reader.block(number).section(name))),
        );
      }),
    run: (input) => {
      const block = packSections(BLOCK_MAGIC, sectionsOf(input, BLOCK_SECTIONS.length));
      const view = new BlockView(block, 0);
      if (view.rows === 0 || word(view.depth, 0) > 8192) return;
      const bytes = manifestOf(block, view);
      // What cannot be used is passed over where that is wanted; then everything else is there.
      readAll(ManifestReader.open(new MemoryManifest(bytes), undefined, { onLost: () => {} }));
      readAll(ManifestReader.open(new MemoryManifest(bytes)));
    },
  },
  {
    name: 'manifest-index',
    refuses: REFUSED,
    seeds: () => [2, 1024].map((rows) => asInput(indexSections(sampleManifest(rows)))),
    run: (input) => {
      const sections = sectionsOf(input, INDEX_SECTIONS.length);
      const lengths = sections[INDEX_SECTIONS.indexOf('blockLength')] as Buffer;
      let end = 24;
      for (let at = 0; at + 4 <= lengths.length; at += 4) end += lengths.readUInt32LE(at);
      const index = new ManifestIndex(packSections(INDEX_MAGIC, sections), end);
      for (let block = 0; block < Math.min(index.blockCount, 500); block++) {
        const path = index.firstPath(block);
        if (index.find(path) !== block) throw new Error(`block ${block} begins with ${JSON.stringify(path)} and is not found by it`);
        index.find(`${path}/x`);
        index.lastBlockBelow(block, path);
      }
    },
  },
  {
    name: 'manifest-file',
    refuses: REFUSED,
    seeds: () => [2, 1024].map(sampleManifest),
    run: (input) => {
      readAll(ManifestReader.open(new MemoryManifest(input), undefined, { onLost: () => {} }));
    },
  },
];

/** The sections of an index that says of these blocks that they lie behind one another. */
function indexSections(manifest: Buffer): Buffer[] {
  const builder = new IndexBuilder();
  const reader = ManifestReader.open(new MemoryManifest(manifest));
  for (let number = 0; number < reader.blockCount; number++) {
    const view = reader.block(number);
    builder.add({
      offset: writeHeader().length + 100 * number,
      length: 100,
      contentLength: 2000,
      rows: view.rows,
      firstPath: view.path(0),
      digest: Buffer.alloc(32, number),
    });
  }
  return unpackSections(builder.build(reader.rowCount, reader.packs), INDEX_MAGIC, INDEX_SECTIONS.length, 'the index');
}
