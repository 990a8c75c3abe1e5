import { randomBytes } from 'node:crypto';
import { closeSync, writeFile } from 'node:fs';
import { expect } from 'chai';
import { decompressFrame } from '../../../core/archive/frame.ts';
import { makePipe } from '../../../core/linux/pipes.ts';
import type { Extent } from '../../../core/manifest/entry.ts';
import type { PackSink } from '../../../core/scan/pack/unit-packing.ts';
import { WorkerPool } from '../../../core/scan/pack/worker-pool.ts';
import type { StoredStream } from '../../../core/scan/stream/stored-stream.ts';

/** Keeps the tar of each frame. */
class KeptPacks implements PackSink {
  readonly frames: Buffer[] = [];

  async append(_pack: number, frame: Uint8Array, decompressedLength: number): Promise<void> {
    this.frames.push(Buffer.from(decompressFrame(Buffer.from(frame), decompressedLength)));
  }

  async close(): Promise<void> {}

  read({ frame, offset, length }: Extent): Buffer {
    const bytes = this.frames[frame]?.subarray(offset, offset + length) ?? Buffer.alloc(0);
    if (bytes.length === length) return bytes;
    return Buffer.concat([bytes, this.read({ frame: frame + 1, offset: 0, length: length - bytes.length } as Extent)]);
  }

  names(): string[] {
    const tar = Buffer.concat(this.frames);
    const names: string[] = [];
    for (let at = 0; at < tar.length; ) {
      names.push(tar.toString('latin1', at, tar.indexOf(0, at)));
      at += 512 + Math.ceil(Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8) / 512) * 512;
    }
    return names;
  }
}

/** Stores bytes that come through a pipe, in a new pack. */
async function store(bytes: Buffer): Promise<{ stored: StoredStream; packs: KeptPacks }> {
  const pool = new WorkerPool(1, undefined);
  const packs = new KeptPacks();
  try {
    const packing = pool.begin({ packNames: { before: 'p', after: '.tar.zst' }, known: [], sink: packs });
    const pipe = makePipe();
    const written = new Promise<void>((resolve) => {
      writeFile(pipe.write, bytes, () => {
        closeSync(pipe.write);
        resolve();
      });
    });
    const stored = await packing.readStream({
      descriptor: pipe.read,
      path: 'databases/mysql/a.sql',
      isNew: true,
      kind: 'mysql',
      reads: new SharedArrayBuffer(4),
    });
    await written;
    closeSync(pipe.read);
    await packing.end();
    packing.sent.checkSum();
    return { stored, packs };
  } finally {
    await pool.stop();
  }
}

describe('StreamWriter', function () {
  this.timeout(60_000);

  for (const length of [0, 1, 511, 4096, 70_000, 1_900_000, 2_100_000, 5_000_000, 70_000_000]) {
    it(`gives back a stream of ${length} bytes by its extents`, async () => {
      const bytes = randomBytes(length);
      const { stored, packs } = await store(bytes);
      expect(stored.size).to.equal(length);
      const parts = stored.content.extents.map((extent) => packs.read(extent));
      expect(Buffer.concat(parts).equals(bytes)).to.equal(true);
      expect(stored.content.extents.every(({ length: each }) => each <= 256 * 1024)).to.equal(true);
    });
  }

  it('makes a short stream one member of its path, and a long one parts that can be put together by their names', async () => {
    expect((await store(randomBytes(1000))).packs.names()).to.deep.equal(['databases/mysql/a.sql']);
    const bytes = randomBytes(6_000_000);
    const { packs } = await store(bytes);
    const names = packs.names();
    expect(names).to.deep.equal([...names].sort());
    expect(names[0]).to.equal('databases/mysql/a.sql.parts/000001');
  });

  it('cuts the same chunks again behind an insertion, also where chunks become longer', async () => {
    const bytes = randomBytes(90_000_000);
    const changed = Buffer.concat([bytes.subarray(0, 1_000_000), Buffer.from('inserted'), bytes.subarray(1_000_000)]);
    const digests = (stored: StoredStream) => stored.content.extents.map(({ digest }) => digest.toString('hex'));
    const before = new Set(digests((await store(bytes)).stored));
    const fresh = digests((await store(changed)).stored).filter((digest) => !before.has(digest));
    expect(fresh.length).to.be.within(1, 20);
  });
});
