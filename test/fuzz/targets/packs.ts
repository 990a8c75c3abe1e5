import { isDeepStrictEqual } from 'node:util';
import { chunkEntry } from '../../../core/archive/chunk-member.ts';
import { compressFrame, decompressFrame, FRAME_LIMIT } from '../../../core/archive/frame.ts';
import { PackReader } from '../../../core/archive/pack-reader.ts';
import { parsePaxRecords } from '../../../core/archive/pax-parser.ts';
import { SparseMapParser } from '../../../core/archive/sparse-map-parser.ts';
import type { TarMember } from '../../../core/archive/tar-member.ts';
import { TarReader } from '../../../core/archive/tar-reader.ts';
import { makeEntry, noise, packOf, tarOf } from '../../archive/members.ts';
import type { Target } from '../target.ts';

const REFUSED = ['repository_damaged'] as const;
const BLOCK = 512;

function sampleTar(): Buffer {
  const small = Buffer.from('content of a');
  const sparse = noise('sparse', 2 * BLOCK);
  return tarOf([
    {
      entry: makeEntry({ path: 'shadow/a', kind: 'file', size: small.length, xattrs: [{ name: 'user.one', value: Buffer.from('1') }] }),
      content: small,
    },
    { entry: makeEntry({ path: `shadow/${'long'.repeat(40)}\xff`, kind: 'file' }) },
    {
      entry: makeEntry({
        path: 'shadow/sparse',
        kind: 'file',
        size: 10_000,
        content: { digest: noise('digest', 32), extents: [], sparse: [{ offset: BLOCK, length: 2 * BLOCK }] },
      }),
      content: sparse,
    },
    { entry: chunkEntry(noise('digest', 32), small.length), content: small },
    { entry: makeEntry({ path: 'shadow', kind: 'directory', mtime: -5n }) },
    { entry: makeEntry({ path: 'shadow/l', kind: 'symlink', linkTarget: 'a', size: 1 }) },
    { entry: makeEntry({ path: 'shadow/d', kind: 'character-device', deviceNumber: { major: 0, minor: 0 } }) },
  ]);
}

function membersOf(tar: Buffer, pieces: number): TarMember[] {
  const reader = new TarReader();
  const members: TarMember[] = [];
  for (let at = 0; at < tar.length; at += pieces) members.push(...reader.push(tar.subarray(at, at + pieces)));
  reader.finish();
  return members;
}

/** The header checksum of a tar block, set right, so that more than that is tried. */
function withChecksums(tar: Buffer): Buffer {
  const copy = Buffer.from(tar);
  for (let at = 0; at + BLOCK <= copy.length; at += BLOCK) {
    if (copy.latin1Slice(at + 257, at + 262) !== 'ustar') continue;
    copy.fill(' ', at + 148, at + 156);
    const sum = copy.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
    copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return copy;
}

export const packTargets: readonly Target[] = [
  {
    name: 'tar',
    refuses: REFUSED,
    words: [
      'ustar',
      'SCHILY.xattr.',
      'SCHILY.acl.access',
      'GNU.sparse.',
      'hdrcharset=BINARY',
      'mtime=',
      'path=',
      'size=',
      '30 ',
      '999999999 ',
    ],
    seeds: () => [Buffer.concat([sampleTar(), Buffer.alloc(2 * BLOCK)]), Buffer.alloc(2 * BLOCK)],
    run: (input) => {
      const tar = withChecksums(input);
      const members = membersOf(tar, tar.length);
      if (!isDeepStrictEqual(membersOf(tar, 100), members)) throw new Error('other members when it comes in pieces');
    },
  },
  {
    name: 'pax-records',
    refuses: REFUSED,
    seeds: () => [Buffer.from('30 mtime=1700000000.123456789\n18 path=shadow/aaa\n21 hdrcharset=BINARY\n'), Buffer.from('6 a=b\n')],
    run: (input) => void parsePaxRecords(input),
  },
  {
    name: 'sparse-map',
    refuses: REFUSED,
    seeds: () => [Buffer.from('2\n512\n1024\n10000\n0\n'), Buffer.from('1\n10000\n0\n')],
    run: (input) => {
      const parser = new SparseMapParser(10_000);
      for (let at = 0; at < input.length; at += BLOCK) {
        const block = Buffer.alloc(BLOCK);
        input.copy(block, 0, at, at + BLOCK);
        if (parser.push(block) !== undefined) return;
      }
    },
  },
  {
    name: 'frame',
    refuses: REFUSED,
    seeds: () => [compressFrame(sampleTar()), compressFrame(Buffer.alloc(BLOCK)), compressFrame(noise('frame', 4 * BLOCK))],
    run: (input) => {
      for (const length of [BLOCK, 4 * BLOCK, sampleTar().length, FRAME_LIMIT]) {
        try {
          if (decompressFrame(input, length).length !== length) throw new RangeError('another length');
        } catch (error) {
          if (error instanceof RangeError) throw error;
          if ((error as { code?: string }).code !== 'repository_damaged') throw error;
        }
      }
    },
  },
  {
    name: 'pack',
    refuses: REFUSED,
    seeds: async () => [
      await packOf(Buffer.concat([sampleTar(), Buffer.alloc(2 * BLOCK)]), 4 * BLOCK),
      await packOf(Buffer.alloc(2 * BLOCK)),
    ],
    run: async (input) => {
      const reader = await PackReader.open(input.length, async (offset, length) => input.subarray(offset, offset + length));
      const tar = new TarReader();
      const frames = Math.min(reader.frameCount, 50);
      for (let frame = 0; frame < frames; frame++) tar.push(await reader.readFrame(frame));
      for await (const _ of reader.readExtent({ frame: 0, offset: 0, length: reader.decompressedLength }));
      if (frames === reader.frameCount) tar.finish();
    },
  },
];
