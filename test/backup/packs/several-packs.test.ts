import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compressFrame } from '../../../core/archive/frame.ts';
import { PackReader } from '../../../core/archive/pack-reader.ts';
import { SnapshotPacks } from '../../../core/backup/packs/snapshot-packs.ts';
import { verify } from '../../../core/commands/verify.ts';
import { PACK_TARGET } from '../../../core/scan/limits.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

/** An object whose commit ends when the test says so. */
class SlowOutput {
  readonly chunks: Uint8Array[] = [];
  readonly committed = Promise.withResolvers<void>();
  commits = 0;

  async write(chunk: Uint8Array): Promise<void> {
    this.chunks.push(Uint8Array.from(chunk));
  }

  async commit(): Promise<{ path: string; length: number; sha256: string }> {
    this.commits++;
    await this.committed.promise;
    const bytes = this.bytes;
    return { path: 'pack', length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  async abort(): Promise<void> {}

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

const TAR = Buffer.alloc(1024, 'x');

describe('a backup of several packs', () => {
  it('ends a pack once, also when the scan ends while the pack is on its way to the disk', async () => {
    const outputs: SlowOutput[] = [];
    const packs = new SnapshotPacks(async () => {
      const output = new SlowOutput();
      outputs.push(output);
      return output;
    });
    await packs.append(1, compressFrame(TAR), TAR.length);
    const closing = packs.close(1);
    const ending = packs.appendTrailing([{ bytes: compressFrame(TAR), decompressedLength: TAR.length }]).then(() => packs.endOpen());
    // What comes last has no place in a pack that has ended.
    await new Promise((resolve) => setImmediate(resolve));
    for (const { committed } of outputs) committed.resolve();
    await closing;
    await ending;
    const references = await packs.finished();
    expect(outputs.map(({ commits }) => commits)).to.deep.equal([1, 1]);
    for (const [index, output] of outputs.entries()) {
      const { bytes } = output;
      expect(references[index]?.reference).to.include({ length: bytes.length });
      const reader = await PackReader.open(bytes.length, async (offset, length) => bytes.subarray(offset, offset + length));
      expect(await reader.readFrame(0)).to.deep.equal(TAR);
    }
    expect(await failureOf(() => packs.append(1, compressFrame(TAR), TAR.length))).to.include({ code: 'internal' });
  });

  it('can be verified and restored: one that is full when the scan ends, and what comes after it', async () => {
    const sandbox = new Sandbox();
    try {
      sandbox.set('limits', { workers: 1 });
      await sandbox.init();
      const piece = Buffer.alloc(1024 * 1024);
      const file = openSync(join(sandbox.shadow, 'large'), 'wx');
      for (let written = 0; written < PACK_TARGET + piece.length; written += writeSync(file, randomFillSync(piece)));
      closeSync(file);
      writeFileSync(join(sandbox.shadow, 'small'), 'behind it');
      await sandbox.back('full');
      const result = await verify({}, sandbox.context);
      expect(result.damages).to.deep.equal([]);
      expect(sandbox.objects('packs')).to.have.length(2);
      expect(await sandbox.differences()).to.deep.equal([]);
    } finally {
      await sandbox.remove();
    }
  }).timeout(120_000);
});
