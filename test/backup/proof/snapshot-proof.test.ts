import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compressFrame } from '../../../core/archive/frame.ts';
import { SnapshotPacks } from '../../../core/backup/packs/snapshot-packs.ts';
import { ManifestOutput } from '../../../core/backup/rows/manifest-output.ts';
import { verify } from '../../../core/commands/verify.ts';
import type { Entry, Extent, ManifestRow } from '../../../core/manifest/entry.ts';
import { LocalBackend } from '../../../core/repository/backends/local.ts';
import { FrameLedger } from '../../../core/scan/pack/frame-ledger.ts';
import type { Level } from '../../commands/sandbox.ts';
import { Sandbox } from '../../commands/sandbox.ts';

const FILES = 12;

/** Undoes what a test has put into the program. */
type Undo = () => void;

/** What goes to the pack in the place of one frame. */
type Frame = readonly [bytes: Uint8Array, decompressedLength: number];

/** Changes what the packs are given: `change` gets each call with its number. */
function changeFrames(change: (frame: Frame, call: number) => readonly Frame[]): Undo {
  const { append } = SnapshotPacks.prototype;
  let calls = 0;
  SnapshotPacks.prototype.append = async function (number, bytes, length) {
    for (const [changed, decompressed] of change([bytes, length], calls++)) await append.call(this, number, changed, decompressed);
  };
  return () => {
    SnapshotPacks.prototype.append = append;
  };
}

/** Changes the rows of the files in the manifest. */
function changeRows(change: (row: Entry) => ManifestRow): Undo {
  const { add } = ManifestOutput.prototype;
  ManifestOutput.prototype.add = function (row) {
    add.call(this, row.kind === 'file' && row.size > 0 ? change(row) : row);
  };
  return () => {
    ManifestOutput.prototype.add = add;
  };
}

function changeExtents(change: (extent: Extent) => Extent): Undo {
  return changeRows((row) => {
    const content = row.content as NonNullable<Entry['content']>;
    return { ...row, content: { ...content, extents: content.extents.map(change) } };
  });
}

/** Changes what reaches the disk of packs, while the program believes that all was written. */
function changeWrites(change: (chunk: Uint8Array, call: number) => readonly Uint8Array[]): Undo {
  const { create } = LocalBackend.prototype;
  LocalBackend.prototype.create = async function (name) {
    const writer = await create.call(this, name);
    if (!name.includes('/packs/')) return writer;
    let calls = 0;
    return {
      write: async (chunk) => {
        for (const part of change(chunk, calls++)) await writer.write(part);
      },
      commit: () => writer.commit(),
      abort: () => writer.abort(),
    };
  };
  return () => {
    LocalBackend.prototype.create = create;
  };
}

const FOREIGN = Buffer.alloc(2048, 'another account');

const FAULTS: Readonly<Record<string, () => Undo>> = {
  'a frame of something else before the first': () =>
    changeFrames((frame, call) => (call === 0 ? [[compressFrame(FOREIGN), FOREIGN.length], frame] : [frame])),
  'a frame of something else after all': () =>
    changeFrames((frame, call) => (call === 2 ? [frame, [compressFrame(FOREIGN), FOREIGN.length]] : [frame])),
  'a frame twice': () => changeFrames((frame, call) => (call === 1 ? [frame, frame] : [frame])),
  'a frame missing': () => changeFrames((frame, call) => (call === 1 ? [] : [frame])),
  'two frames in the wrong order': () => {
    let kept: Frame | undefined;
    return changeFrames((frame, call) => {
      if (call === 0) {
        kept = [Uint8Array.from(frame[0]), frame[1]];
        return [];
      }
      return call === 1 ? [frame, kept as Frame] : [frame];
    });
  },
  'a frame of another length than it says': () =>
    changeFrames(([bytes, length], call) => [call === 0 ? [bytes, length + 512] : [bytes, length]]),
  'a member that is in no frame': () => {
    const { count } = FrameLedger.prototype;
    FrameLedger.prototype.count = function (tarBytes) {
      count.call(this, tarBytes + 512);
    };
    return () => {
      FrameLedger.prototype.count = count;
    };
  },
  'content in a frame that there is not': () => changeExtents((extent) => ({ ...extent, frame: extent.frame + 1000 })),
  'content in the frames of the structure': () => changeExtents((extent) => ({ ...extent, frame: extent.frame + 40 })),
  'content that begins behind its frame': () => changeExtents((extent) => ({ ...extent, offset: extent.offset + 2 * 1024 * 1024 })),
  'content that ends behind its pack': () => changeExtents((extent) => ({ ...extent, length: extent.length + 2 ** 40 })),
  'content in a pack that nobody has': () => changeExtents((extent) => ({ ...extent, pack: extent.pack.replace(/-\d{4}\./, '-0099.') })),
  'content that is shorter than its file': () => changeExtents((extent) => ({ ...extent, length: extent.length - 1 })),
  'a file without its content': () => changeRows(({ content, ...row }) => (content === undefined ? row : { ...row, size: 1 })),
  'bytes that did not reach the disk': () => changeWrites((chunk, call) => (call === 1 ? [] : [chunk])),
  'bytes that reached the disk twice': () => changeWrites((chunk, call) => (call === 1 ? [chunk, chunk] : [chunk])),
  'a table that is another one': () =>
    changeWrites((chunk) => {
      if (chunk.length > 500 || chunk[0] !== 0x5e) return [chunk];
      const table = Buffer.from(chunk);
      // Two frames' lengths in each other's place: the sum is the same.
      const first = table.readUInt32LE(8);
      table.writeUInt32LE(table.readUInt32LE(16), 8);
      table.writeUInt32LE(first, 16);
      return [table];
    }),
};

describe('the proof of a snapshot, before it is recorded', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    sandbox.set('limits', { workers: 1 });
    await sandbox.init();
    fill();
  });

  afterEach(async () => {
    await sandbox.remove();
  });

  function fill(): void {
    for (let file = 0; file < FILES; file++) writeFileSync(join(sandbox.shadow, `file-${file}`), randomBytes(500_000 + file));
    mkdirSync(join(sandbox.shadow, 'folder'), { recursive: true });
  }

  async function expectRefused(level: Level, inject: () => Undo): Promise<void> {
    const before = sandbox.objects('snapshots');
    const undo = inject();
    try {
      const { status, error } = await sandbox.back(level);
      expect({ status, code: error?.code }).to.deep.equal({ status: 'failed', code: 'proof_failed' });
    } finally {
      undo();
    }
    expect(sandbox.objects('snapshots')).to.deep.equal(before);
    expect(await sandbox.back(level)).to.include({ status: 'ok' });
    expect((await verify({}, sandbox.context)).damages).to.deep.equal([]);
    expect(await sandbox.differences()).to.deep.equal([]);
  }

  for (const [fault, inject] of Object.entries(FAULTS)) {
    it(`finds ${fault}`, () => expectRefused('full', inject));
  }

  it('finds content in a pack that no record of the chain names, in what is merged as well', async () => {
    await sandbox.back('full');
    fill();
    const elsewhere = () => changeExtents((extent) => ({ ...extent, pack: extent.pack.replace('site1-', 'site2-') }));
    await expectRefused('incremental', elsewhere);
    fill();
    await expectRefused('differential', elsewhere);
    await expectRefused('synthetic', elsewhere);
  });

  it('lets a snapshot be that the state directory keeps no copy of', async () => {
    await sandbox.back('full');
    fill();
    const { reader } = ManifestOutput.prototype;
    let calls = 0;
    ManifestOutput.prototype.reader = function () {
      // The first is the proof's, the second is for the index.
      if (++calls === 2) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return reader.call(this);
    };
    try {
      expect(await sandbox.back('full')).to.include({ status: 'ok' });
    } finally {
      ManifestOutput.prototype.reader = reader;
    }
    expect(sandbox.log.map(({ code }) => code)).to.include('disk_full');
    expect(sandbox.objects('snapshots')).to.have.length(2);
    expect((await sandbox.back('incremental')).status).to.equal('unchanged');
    expect(await sandbox.differences()).to.deep.equal([]);
  });
});
