import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { sealedContent } from '../../core/crypto/seal.ts';
import { CHUNK, SEALED_CHUNK } from '../../core/crypto/stream.ts';
import { DirectStreamReader, type StreamKey, StreamReader } from '../../core/crypto/stream-reader.ts';
import { StreamWriter } from '../../core/crypto/stream-writer.ts';
import { asFailure } from '../../core/failure.ts';

const START = 216;
const key: StreamKey = { start: START, key: randomBytes(32) };

/** What is stored of content that comes in these parts, behind a header. */
async function encrypted(parts: readonly Buffer[], by: Uint8Array = key.key): Promise<Buffer> {
  return Buffer.concat([Buffer.alloc(START), await sealedContent(parts, by)]);
}

/** Content in parts of the given lengths, and what is stored of it. */
async function sealed(lengths: readonly number[]): Promise<{ plain: Buffer; stored: Buffer }> {
  const parts = lengths.map((length) => randomBytes(length));
  return { plain: Buffer.concat(parts), stored: await encrypted(parts) };
}

function direct(stored: Buffer): DirectStreamReader {
  return new DirectStreamReader(stored.length, key, (offset, length) => stored.subarray(offset, offset + length));
}

/** A reader, and the stretches that it had read. */
async function counted(stored: Buffer): Promise<{ reader: StreamReader; reads: [number, number][] }> {
  const reads: [number, number][] = [];
  const reader = await StreamReader.open(stored.length, key, async (offset, length) => {
    reads.push([offset, length]);
    return stored.subarray(offset, offset + length);
  });
  return { reader, reads };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return asFailure(error).code;
  }
  return 'none';
}

describe('encrypted streams', () => {
  it('give back any stretch of content that came in any parts', async () => {
    const lengths = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 150_000)), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 6 }), async (parts, stretches) => {
        const { plain, stored } = await sealed(parts);
        const readers = [
          direct(stored),
          await StreamReader.open(stored.length, key, async (at, length) => stored.subarray(at, at + length)),
        ];
        for (const reader of readers) {
          expect(reader.plainLength).to.equal(plain.length);
          for (const [a, b] of [[0, plain.length], ...stretches] as [number, number][]) {
            const offset = a % (plain.length + 1);
            const length = b % (plain.length - offset + 1);
            expect((await reader.read(offset, length)).equals(plain.subarray(offset, offset + length))).to.equal(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('give stretches to several readers at once', async () => {
    const { plain, stored } = await sealed([5 * CHUNK + 7]);
    const { reader } = await counted(stored);
    const places = [0, 100, CHUNK - 1, CHUNK, 3 * CHUNK + 5, 5 * CHUNK].map((at) => [at, Math.min(70_000, plain.length - at)] as const);
    const read = await Promise.all(places.map(([at, length]) => reader.read(at, length)));
    places.forEach(([at, length], index) => {
      expect(read[index]?.equals(plain.subarray(at, at + length))).to.equal(true);
    });
  });

  it('keep no more than a chunk when they are written', async () => {
    const writer = new StreamWriter(key.key);
    let given = 0;
    for (let put = 10_000; put <= 40 * 10_000; put += 10_000) {
      await writer.push(Buffer.alloc(10_000), async (bytes) => {
        given += bytes.length;
      });
      expect(put - (given / SEALED_CHUNK) * CHUNK).to.be.at.most(CHUNK);
    }
  });

  it('refuse more content while what came before is being stored, whose memory would be used for it', async () => {
    const writer = new StreamWriter(key.key);
    const store = async (): Promise<void> => {
      for (const more of [writer.push(Buffer.alloc(2 * CHUNK), async () => {}), writer.finish(async () => {})]) {
        expect(await more.catch((error) => asFailure(error).code)).to.equal('internal');
      }
    };
    await writer.push(Buffer.alloc(40 * CHUNK), store);
    await writer.finish(async () => {});
    expect(await writer.push(Buffer.alloc(1), async () => {}).catch((error) => asFailure(error).code)).to.equal('internal');
  });

  it('read the last chunk first, and then the chunks of the stretch alone', async () => {
    const { stored } = await sealed([20 * CHUNK + 99]);
    const { reader, reads } = await counted(stored);
    expect(reads).to.deep.equal([[START + 20 * SEALED_CHUNK, 99 + 16]]);
    await reader.read(7 * CHUNK + 10, CHUNK);
    expect(reads[1]).to.deep.equal([START + 7 * SEALED_CHUNK, 2 * SEALED_CHUNK]);
  });

  it('are damaged when they are cut anywhere, at the borders of chunks, too (case 22)', async () => {
    const { stored } = await sealed([3 * CHUNK]);
    const borders = [0, 1, 2].flatMap((chunk) => [-1, 0, 1, 15, 16, 17].map((more) => START + chunk * SEALED_CHUNK + more));
    for (const length of [...borders, 0, stored.length - 16, stored.length - 1]) {
      expect(
        codeOf(() => direct(stored.subarray(0, Math.max(length, 0)))),
        `cut to ${length}`,
      ).to.equal('repository_damaged');
    }
    expect(codeOf(() => direct(Buffer.concat([stored, Buffer.alloc(1)])))).to.equal('repository_damaged');
    expect(codeOf(() => direct(Buffer.concat([stored, stored.subarray(START, START + SEALED_CHUNK)])))).to.equal('repository_damaged');
  });

  it('are damaged where chunks were exchanged, doubled, or taken from another object (case 22)', async () => {
    const { stored } = await sealed([3 * CHUNK]);
    const chunk = (from: Buffer, number: number): Buffer =>
      from.subarray(START + number * SEALED_CHUNK, START + (number + 1) * SEALED_CHUNK);
    const put = (number: number, bytes: Buffer): Buffer => {
      const altered = Buffer.from(stored);
      bytes.copy(altered, START + number * SEALED_CHUNK);
      return altered;
    };
    const foreign = await encrypted([Buffer.alloc(3 * CHUNK)], randomBytes(32));
    for (const altered of [put(0, chunk(stored, 1)), put(1, chunk(stored, 0)), put(1, chunk(foreign, 1))]) {
      const reader = direct(altered);
      expect(codeOf(() => reader.read(0, 3 * CHUNK))).to.equal('repository_damaged');
      // What is whole is still read.
      expect(reader.read(2 * CHUNK, CHUNK)).to.have.length(CHUNK);
    }
    expect(codeOf(() => direct(put(2, chunk(foreign, 2))))).to.equal('repository_damaged');
  });

  it('give what is whole after a chunk that is damaged was asked for', async () => {
    const { plain, stored } = await sealed([3 * CHUNK]);
    stored[START + SEALED_CHUNK + 5] = (stored[START + SEALED_CHUNK + 5] as number) ^ 1;
    const reader = direct(stored);
    expect(reader.read(0, 100).equals(plain.subarray(0, 100))).to.equal(true);
    expect(codeOf(() => reader.read(CHUNK, 100))).to.equal('repository_damaged');
    expect(reader.read(0, 100).equals(plain.subarray(0, 100))).to.equal(true);
    expect(codeOf(() => reader.read(CHUNK, 100))).to.equal('repository_damaged');
  });

  it('are damaged where fewer bytes come than were asked for', async () => {
    const { stored } = await sealed([CHUNK + 100]);
    const short = (offset: number, length: number): Buffer => stored.subarray(offset, offset + length - 1);
    expect(codeOf(() => new DirectStreamReader(stored.length, key, short))).to.equal('repository_damaged');
    const failure = await StreamReader.open(stored.length, key, async (at, length) => short(at, length)).catch(asFailure);
    expect(failure).to.have.property('code', 'repository_damaged');
  });

  it('refuse stretches beyond their end', async () => {
    const { stored } = await sealed([1000]);
    const reader = direct(stored);
    for (const [offset, length] of [
      [0, 1001],
      [1001, 0],
      [-1, 2],
      [0, -1],
      [Number.NaN, 1],
    ] as const) {
      expect(codeOf(() => reader.read(offset, length))).to.equal('repository_damaged');
    }
  });
});
