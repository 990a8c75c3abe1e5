import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { StatBuffer, statDescriptor } from '../../../core/linux/stat.ts';
import { ByteBucket } from '../../../core/scan/read/byte-bucket.ts';
import { StoredBytes } from '../../../core/scan/read/stored-bytes.ts';

const SECOND = 1_000_000_000n;
const START = 1000n * SECOND;
const RATE = 1000;

describe('a bucket of bytes', () => {
  it('gives a second at once after a rest, and then what flows', () => {
    const bucket = new ByteBucket(ByteBucket.share(RATE));
    expect(bucket.take(600, START)).to.equal(0);
    expect(bucket.take(400, START)).to.equal(0);
    expect(bucket.take(500, START)).to.equal(500);
    expect(bucket.take(500, START)).to.equal(1000);
    expect(bucket.take(500, START + SECOND)).to.equal(500);
  });

  it('saves up no more than a second', () => {
    const bucket = new ByteBucket(ByteBucket.share(RATE));
    bucket.take(RATE, START);
    expect(bucket.take(RATE, START + 3600n * SECOND)).to.equal(0);
    expect(bucket.take(100, START + 3600n * SECOND)).to.equal(100);
  });

  it('is one for all who share it', () => {
    const shared = ByteBucket.share(RATE);
    const [one, other] = [new ByteBucket(shared), new ByteBucket(structuredClone(shared))];
    one.take(RATE, START);
    expect(other.take(100, START)).to.equal(100);
    expect(one.take(100, START)).to.equal(200);
  });

  it('lets no more through in any time than flows in it and one second', () => {
    const takes = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: RATE }), fc.nat(1500)), { maxLength: 60 });
    fc.assert(
      fc.property(takes, (steps) => {
        const shared = ByteBucket.share(RATE);
        const takers = Array.from({ length: 4 }, () => ({ bucket: new ByteBucket(shared), free: START }));
        const used: { time: bigint; bytes: number }[] = [];
        for (const [who, bytes, idle] of steps) {
          const taker = takers[who]!;
          const now = taker.free + BigInt(idle) * 1_000_000n;
          taker.free = now + BigInt(Math.ceil(taker.bucket.take(bytes, now) * 1e6));
          used.push({ time: taker.free, bytes });
        }
        used.sort((a, b) => Number(a.time - b.time));
        for (let first = 0; first < used.length; first++) {
          let sum = 0;
          for (const { time, bytes } of used.slice(first)) {
            sum += bytes;
            const flowed = (Number(time - used[first]!.time) / 1e9) * RATE;
            // What the first one used flowed before; rounding of each take to a nanosecond.
            expect(sum - used[first]!.bytes).to.be.at.most(flowed + RATE + 1);
          }
        }
      }),
    );
  });
});

describe('reading at a pace', () => {
  it('asks for every byte before it is read, in portions', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pace-'));
    const file = join(folder, 'file');
    const content = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251));
    writeFileSync(file, content);
    const descriptor = openSync(file, 'r');
    try {
      const stat = new StatBuffer();
      statDescriptor(descriptor, stat);
      const into = Buffer.alloc(1000);
      const asked: [number, number][] = [];
      // The last byte that is there shows how much had been read when it was asked.
      const source = new StoredBytes(descriptor, stat, {
        portion: 300,
        wait: (bytes) => void asked.push([bytes, into.findLastIndex((byte) => byte !== 0) + 1]),
      });
      expect(source.read(into, 0, 1000)).to.equal(1000);
      expect(into.equals(content)).to.equal(true);
      expect(asked).to.deep.equal([
        [300, 0],
        [300, 300],
        [300, 600],
        [100, 900],
      ]);
    } finally {
      closeSync(descriptor);
      rmSync(folder, { recursive: true });
    }
  });
});
