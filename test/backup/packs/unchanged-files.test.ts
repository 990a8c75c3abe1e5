import { hash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UnchangedFiles } from '../../../core/backup/packs/unchanged-files.ts';
import { closeDescriptor, openTrustedDirectory } from '../../../core/linux/files.ts';
import { StatBuffer, statAt } from '../../../core/linux/stat.ts';
import { DeviceNumbers } from '../../../core/manifest/device-numbers.ts';
import type { DataRange, Entry, Extent } from '../../../core/manifest/entry.ts';
import { metadataOf } from '../../../core/scan/read/read-entries.ts';

const PIECE = 700;

describe('contents that come from unchanged files', () => {
  let folder: string;
  let file: string;
  let bytes: Buffer;
  let files: UnchangedFiles;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unchanged-'));
    mkdirSync(join(folder, 'tree/below'), { recursive: true });
    file = join(folder, 'tree/below/file');
    bytes = randomBytes(2000);
    writeFileSync(file, bytes);
    files = new UnchangedFiles([{ path: 'shadow', parent: folder, entry: 'tree' }], new DeviceNumbers([]));
  });
  afterEach(() => {
    files.close();
    rmSync(folder, { recursive: true });
  });

  /** The file as a manifest has it, stored in pieces. */
  function entry(stored: Buffer = bytes, sparse?: readonly DataRange[]): Entry {
    const stat = new StatBuffer();
    const below = openTrustedDirectory(join(folder, 'tree/below'));
    statAt(below, 'file', stat);
    closeDescriptor(below);
    const extents: Extent[] = [];
    for (let offset = 0; offset < stored.length; offset += PIECE) {
      const piece = stored.subarray(offset, offset + PIECE);
      extents.push({ pack: 'old', frame: 0, offset, length: piece.length, digest: hash('sha256', piece, 'buffer') });
    }
    const content = { digest: hash('sha256', stored, 'buffer'), extents, ...(sparse === undefined ? {} : { sparse }) };
    return { ...metadataOf(stat, 'shadow/below/file'), xattrs: [], inodeFlags: 0, flags: 0, content };
  }

  function read(from: Entry, wanted: (extent: Extent) => boolean = () => true): Buffer[] {
    return [...files.read(from, wanted)].map((each) => each.bytes);
  }

  it('are the pieces that are wanted, and those of the data ranges of a sparse file', () => {
    expect(Buffer.concat(read(entry()))).to.deep.equal(bytes);
    expect(read(entry(), ({ offset }) => offset === PIECE)).to.deep.equal([bytes.subarray(PIECE, 2 * PIECE)]);
    truncateSync(file, 100_000);
    appendFileSync(file, bytes.subarray(0, 500));
    const stored = Buffer.concat([bytes, bytes.subarray(0, 500)]);
    const ranges = [
      { offset: 0, length: 2000 },
      { offset: 100_000, length: 500 },
    ];
    expect(Buffer.concat(read(entry(stored, ranges)))).to.deep.equal(stored);
  });

  const changes: Record<string, () => void> = {
    'is longer': () => appendFileSync(file, 'more'),
    'has other content at the same time stamps': () => {
      writeFileSync(file, randomBytes(2000));
    },
    'was touched': () => utimesSync(file, 1, 1),
    'has another mode': () => chmodSync(file, 0o600),
    'has another name besides': () => linkSync(file, join(folder, 'tree/other')),
    'is another file': () => {
      writeFileSync(`${file}.new`, readFileSync(file));
      renameSync(`${file}.new`, file);
    },
    'is a link': () => {
      renameSync(file, join(folder, 'elsewhere'));
      symlinkSync(join(folder, 'elsewhere'), file);
    },
    'lies behind a link': () => {
      renameSync(join(folder, 'tree/below'), join(folder, 'elsewhere'));
      symlinkSync(join(folder, 'elsewhere'), join(folder, 'tree/below'));
    },
    'is gone': () => rmSync(file),
  };

  for (const [what, change] of Object.entries(changes)) {
    it(`are none of a file that ${what}`, () => {
      const before = entry();
      change();
      expect(read(before)).to.deep.equal([]);
    });
  }

  it('are none that differ from their digest, whatever the time stamps say', () => {
    expect(read(entry(randomBytes(2000)))).to.deep.equal([]);
  });

  it('end with the first piece after a change in the middle', () => {
    const pieces = files.read(entry(), () => true);
    expect((pieces.next().value as { bytes: Buffer }).bytes).to.deep.equal(bytes.subarray(0, PIECE));
    appendFileSync(file, 'more');
    expect(pieces.next().done).to.equal(true);
  });

  it('are none of what lies in no root', () => {
    expect(read({ ...entry(), path: 'databases/dump.sql' })).to.deep.equal([]);
  });
});
