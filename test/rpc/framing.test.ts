import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Line, readLines } from '../../core/rpc/framing.ts';

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function linesOf(bytes: Buffer, sizes: readonly number[] = [], limit?: number): Promise<Line[]> {
  return Array.fromAsync(readLines(cut(bytes, sizes), limit));
}

const texts = (lines: readonly Line[]): string[] => lines.map((line) => (line.kind === 'line' ? line.bytes.toString('latin1') : line.kind));

describe('the lines of a byte stream', () => {
  it('are the same however the stream is cut', async () => {
    const line = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(9)), async (contents, sizes) => {
        const bytes = Buffer.concat(contents.flatMap((content) => [content, Buffer.from('\n')]));
        expect(texts(await linesOf(bytes, sizes))).to.deep.equal(contents.map((content) => content.toString('latin1')));
      }),
    );
  });

  it('end with a line feed: a rest without one is no line', async () => {
    expect(texts(await linesOf(Buffer.from('one\ntwo')))).to.deep.equal(['one', 'unfinished']);
    expect(texts(await linesOf(Buffer.from('')))).to.deep.equal([]);
  });

  it('are refused beyond the limit, and the next one is read', async () => {
    for (const sizes of [[], [3, 3, 3], [11]]) {
      expect(texts(await linesOf(Buffer.from('0123456789\nlonger than ten\nnext\n'), sizes, 10))).to.deep.equal([
        '0123456789',
        'too-long',
        'next',
      ]);
    }
  });

  it('hold no more than the limit of a line that never ends', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const chunkSize = 1024 * 1024;
    let peak = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (let count = 0; count < 32; count++) {
        yield Buffer.alloc(chunkSize, 'x');
        collectGarbage();
        peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      }
    }
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    expect(texts(await Array.fromAsync(readLines(endless(), 1024)))).to.deep.equal(['unfinished']);
    expect(peak - before).to.be.below(8 * chunkSize);
  });
});
