import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ManifestOutput } from '../../../core/backup/rows/manifest-output.ts';
import type { Entry } from '../../../core/manifest/entry.ts';
import type { ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { ContentIndex, writeContentIndex } from '../../../core/scan/known/content-index.ts';
import { type IndexedManifest, UnitContents } from '../../../core/scan/known/unit-contents.ts';

const FILES = 3000;

describe('looking contents up', () => {
  let folder: string;
  let index: string;
  let output: ManifestOutput;
  let reader: ManifestReader;
  let known: IndexedManifest;
  let digests: Buffer[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-index-'));
    index = join(folder, 'manifest.index');
    output = new ManifestOutput(join(folder, 'manifest'));
    digests = [];
    for (let number = 0; number < FILES; number++) {
      const digest = createHash('sha256').update(`${number}`).digest();
      digests.push(digest);
      const entry: Entry = {
        ...{ path: `f${String(number).padStart(5, '0')}`, kind: 'file', mode: 0o600, uid: 1, gid: 1, size: 100 + number },
        ...{ mtime: 1n, ctime: 2n, device: 3n, inode: BigInt(number), linkCount: 1, xattrs: [], inodeFlags: 0, flags: 0 },
        content: { digest, extents: [{ pack: 'p', frame: number, offset: 512, length: 100 + number, digest }] },
      };
      output.add(entry);
    }
    const finished = output.finish();
    reader = output.reader();
    writeContentIndex(index, reader);
    known = { manifest: output.file, index, expected: { length: finished.length, index: finished.index } };
  });

  afterEach(() => {
    output.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** How many of the contents are found, each where it is. */
  function found(contents: UnitContents): number {
    let count = 0;
    digests.forEach((digest, number) => {
      const extent = contents.find(digest, 100 + number);
      if (extent === undefined) return;
      expect(extent).to.include({ pack: 'p', frame: number, offset: 512, length: 100 + number });
      count++;
    });
    return count;
  }

  it('finds all that is there, at its place, and nothing else', () => {
    const contents = UnitContents.open([known]);
    expect(found(contents)).to.equal(FILES);
    expect(contents.find(digests[1] as Buffer, 99)).to.equal(undefined);
    expect(contents.find(randomBytes(32), 100)).to.equal(undefined);
    contents.close();
  });

  it('never gives a wrong place, nor throws, whatever became of the index', () => {
    const whole = readFileSync(index);
    const change = fc.record({ at: fc.nat(whole.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(whole.length)), (changes, cut) => {
        writeFileSync(index, whole);
        const descriptor = openSync(index, 'r+');
        for (const { at, bytes } of changes) writeSync(descriptor, bytes, 0, bytes.length, at);
        closeSync(descriptor);
        if (cut !== null) truncateSync(index, cut);
        const contents = UnitContents.open([known]);
        expect(found(contents)).to.be.at.most(FILES);
        contents.close();
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);

  it('is refused when it is not exactly as long as it says, has impossible counts, or is of another manifest', () => {
    const whole = readFileSync(index);
    const open = (bytes: Buffer): ContentIndex | undefined => {
      writeFileSync(index, bytes);
      return ContentIndex.open(index, reader);
    };
    const withCount = (value: number): Buffer => {
      const changed = Buffer.from(whole);
      changed.writeDoubleLE(value, 40);
      return changed;
    };
    expect(open(whole.subarray(0, -1))).to.equal(undefined);
    expect(open(Buffer.concat([whole, Buffer.alloc(1)]))).to.equal(undefined);
    for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
      expect(open(withCount(count)), `${count}`).to.equal(undefined);
    const other = Buffer.from(whole);
    other.writeDoubleLE(FILES + 1, 32);
    expect(open(other)).to.equal(undefined);
    rmSync(index);
    expect(ContentIndex.open(index, reader)).to.equal(undefined);
    mkdirSync(index);
    expect(ContentIndex.open(index, reader)).to.equal(undefined);
  });

  it('does without a manifest that is cut before or while it is used, and leaves nothing open', () => {
    const before = readdirSync('/proc/self/fd').length;
    const contents = UnitContents.open([known]);
    expect(contents.find(digests[0] as Buffer, 100)).to.not.equal(undefined);
    const { length } = readFileSync(known.manifest);
    truncateSync(known.manifest, 100);
    // What was read before may still be in memory.
    expect(found(contents)).to.be.lessThan(FILES);
    contents.close();
    for (const cut of [length - 1, 100, 0]) {
      truncateSync(known.manifest, cut);
      const late = UnitContents.open([known]);
      expect(found(late)).to.equal(0);
      late.close();
    }
    rmSync(known.manifest);
    const without = UnitContents.open([known]);
    expect(found(without)).to.equal(0);
    without.close();
    expect(readdirSync('/proc/self/fd').length).to.equal(before);
  });

  it('leaves no half-written file behind', () => {
    const target = join(folder, 'no-such-folder', 'index');
    expect(() => writeContentIndex(target, reader)).to.throw();
    mkdirSync(join(folder, 'taken'));
    writeFileSync(join(folder, 'taken/file'), '');
    expect(() => writeContentIndex(join(folder, 'taken'), reader)).to.throw();
    expect(readdirSync(folder).sort()).to.deep.equal(['manifest', 'manifest.index', 'taken']);
  });
});
