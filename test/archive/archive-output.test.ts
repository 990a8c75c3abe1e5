import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { ArchiveOutput } from '../../core/archive/archive-output.ts';
import { FRAME_TARGET } from '../../core/archive/frame.ts';

/** What zstd makes of what went out. */
async function read(
  fill: (output: ArchiveOutput) => Promise<void>,
): Promise<{ status: number | null; tar: Buffer; length: number; sent: number }> {
  const parts: Buffer[] = [];
  const output = new ArchiveOutput(async (bytes) => void parts.push(Buffer.from(bytes)));
  await fill(output);
  const input = Buffer.concat(parts);
  const { status, stdout } = spawnSync('zstd', ['-dc'], { input, maxBuffer: 64 * 1024 * 1024 });
  return { status, tar: stdout, length: output.length, sent: input.length };
}

describe('an archive that is made as it goes out', () => {
  const contents = randomBytes(2 * FRAME_TARGET + 1536);

  it('is what was written, and the end of a tar', async () => {
    for (const size of [0, 512, FRAME_TARGET, FRAME_TARGET - 1024, contents.length]) {
      const { status, tar, length, sent } = await read(async (output) => {
        for (let at = 0; at < size; at += 100_000) await output.write(contents.subarray(at, Math.min(size, at + 100_000)));
        await output.finish();
      });
      expect(status).to.equal(0);
      expect(tar.equals(Buffer.concat([contents.subarray(0, size), Buffer.alloc(1024)])), String(size)).to.equal(true);
      expect(sent).to.equal(length);
    }
  });

  it('that is broken off is never taken for a whole one, wherever that is', async () => {
    for (const size of [0, 512, FRAME_TARGET, contents.length]) {
      const { status } = await read(async (output) => {
        await output.write(contents.subarray(0, size));
        await output.breakOff();
      });
      expect(status, String(size)).to.not.equal(0);
    }
    // As whoever cannot know what the frame before holds.
    expect((await read((output) => output.breakOff())).status).to.not.equal(0);
  });
});
