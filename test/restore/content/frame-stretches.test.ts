import { expect } from 'chai';
import { compressFrame } from '../../../core/archive/frame.ts';
import { PackBuilder } from '../../../core/archive/pack-builder.ts';
import { Failure } from '../../../core/failure.ts';
import { FrameStretches } from '../../../core/restore/content/frame-stretches.ts';
import { decode } from '../../../core/restore/content/frame-supply.ts';
import { PackCache, type PackContent } from '../../../core/restore/content/pack-cache.ts';
import { failureOf } from '../../failure-of.ts';

const KIB = 1024;
const REACH = { gap: 16 * KIB, first: 64 * KIB, longest: 256 * KIB, room: 1024 * KIB };

/** What no compressor makes smaller, of whole blocks, other for each frame. */
function blocks(frame: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let word = (frame + 1) * 2_654_435_761;
  for (let at = 0; at < length; at += 4) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    bytes.writeInt32LE(word | 0, at);
  }
  return bytes;
}

async function packOf(frames: readonly Buffer[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const builder = new PackBuilder(async (bytes) => void parts.push(Buffer.from(bytes)));
  for (const tar of frames) await builder.addFrame(compressFrame(tar), tar.length);
  await builder.finish();
  return Buffer.concat(parts);
}

describe('the frames of a distant pack', () => {
  const tars = Array.from({ length: 200 }, (_, frame) => blocks(frame, (1 + (frame % 4)) * 8 * KIB));
  let pack: Buffer;
  let reads: { offset: number; length: number }[];
  let underWay: number;
  let most: number;
  /** Stretches that lie here cannot be read. */
  let lost: number | undefined;
  let packs: PackCache;

  before(async () => {
    pack = await packOf(tars);
  });

  beforeEach(() => {
    [reads, underWay, most, lost] = [[], 0, 0, undefined];
    const content: PackContent = {
      length: pack.length,
      read: async (offset, length) => {
        reads.push({ offset, length });
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 1));
        underWay--;
        if (lost !== undefined && offset <= lost && lost < offset + length) throw new Failure('io_error', 'not this one');
        return Buffer.from(pack.subarray(offset, offset + length));
      },
    };
    packs = new PackCache({ isDistant: true, open: async (name) => (name === 'missing' ? undefined : content) });
  });

  const frames = (numbers: readonly number[], name = 'pack') => numbers.map((frame) => ({ pack: name, frame }));
  const all = tars.map((_, frame) => frame);

  /** Takes all, a few at a time as threads do, and compares each. */
  async function takeAll(wanted: readonly { pack: string; frame: number }[]): Promise<void> {
    const stretches = new FrameStretches(packs, wanted, REACH);
    const rest = wanted.entries();
    const lane = async (): Promise<void> => {
      for (const [number, { frame }] of rest) {
        const tar = tars[frame] as Buffer;
        expect(decode(await stretches.take(number)).equals(tar), `frame ${frame}`).to.equal(true);
      }
    };
    await Promise.all(Array.from({ length: 4 }, lane));
  }

  it('are as many requests as their bytes need, several under way', async () => {
    await takeAll(frames(all));
    // The table of the pack, the first ones that are shorter, and the rest.
    expect(reads.length).to.be.at.most(4 + Math.ceil(pack.length / (REACH.longest - 32 * KIB)));
    expect(most).to.be.within(2, 8);
    expect(packs.bytesFetched).to.be.at.most(pack.length);
  });

  it('are read over a short gap, and not over a long one', async () => {
    await takeAll(frames(all.filter((frame) => frame % 4 !== 0)));
    const together = reads.length;
    reads = [];
    await takeAll(frames([0, 50, 100, 150]));
    expect(together).to.be.below(60);
    expect(reads.length).to.equal(4);
  });

  it('are held within the room that they have, whoever takes them slowly', async () => {
    const stretches = new FrameStretches(packs, frames(all), REACH);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ahead = packs.bytesFetched;
    expect(ahead).to.be.within(REACH.longest, REACH.room);
    for (const number of all) await stretches.take(number);
    expect(packs.bytesFetched).to.be.above(ahead);
  });

  it('are taken more than once where more than one task needs them, and from several packs', async () => {
    await takeAll([...frames([1, 1, 2, 2, 2]), ...frames([0, 1], 'other'), ...frames([3])]);
  });

  it('fail alone where they cannot be read, and the others come', async () => {
    const stretches = new FrameStretches(packs, [...frames([0, 0], 'missing'), ...frames(all), ...frames([9999])], REACH);
    lost = pack.length / 2;
    let failed = 0;
    for (let number = 0; number < all.length + 3; number++) {
      const frame = number - 2;
      const stored = await stretches.take(number).catch((error: Failure) => {
        failed++;
        return error;
      });
      if (stored instanceof Error) expect(stored.code).to.equal(frame < 0 || frame >= all.length ? 'repository_damaged' : 'io_error');
      else expect(decode(stored).equals(tars[frame] as Buffer)).to.equal(true);
    }
    expect(failed).to.be.within(4, 20);
    expect(await failureOf(() => packs.fetch('missing', 0))).to.include({ code: 'repository_damaged' });
  });
});
