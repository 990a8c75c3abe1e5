import { createHash } from 'node:crypto';
import { type ByteString, type Entry, EntryFlags, type EntryKind, type ManifestRow } from '../../core/manifest/entry.ts';
import { comparePaths, isWithin } from '../../core/manifest/path-order.ts';
import { ManifestReader } from '../../core/manifest/read/manifest-reader.ts';
import type { RandomAccess } from '../../core/manifest/read/random-access.ts';
import { type FinishedManifest, ManifestWriter } from '../../core/manifest/write/manifest-writer.ts';

/** An entry with plain properties; its content follows from its path and size. */
export function entry(path: ByteString, kind: EntryKind = 'file', more: Partial<Entry> = {}): Entry {
  const base: Entry = {
    path,
    kind,
    mode: 0o640,
    uid: 1001,
    gid: 1002,
    size: 0,
    mtime: 1_700_000_000_123_456_789n,
    ctime: 1_700_000_001_987_654_321n,
    device: (253n << 32n) | 7n,
    inode: 4711n,
    linkCount: 1,
    xattrs: [],
    inodeFlags: 0,
    flags: 0,
  };
  const target = kind === 'symlink' ? { linkTarget: `to/${path}`, size: path.length + 3 } : {};
  const number = kind === 'character-device' || kind === 'block-device' ? { deviceNumber: { major: 8, minor: 1 } } : {};
  return { ...base, ...target, ...number, ...more };
}

/** The same entry without what its kind cannot have; a file without content is one that could not be read. */
export function sensible({ linkTarget, deviceNumber, content, ...plain }: Entry): Entry {
  const { kind, size, flags } = plain;
  if (kind === 'file')
    return content === undefined && size > 0
      ? { ...plain, flags: flags | EntryFlags.contentMissing }
      : { ...plain, ...(content === undefined ? {} : { content }) };
  if (kind === 'symlink') return { ...plain, linkTarget: linkTarget ?? 'somewhere' };
  if (kind === 'character-device' || kind === 'block-device')
    return { ...plain, size: 0, deviceNumber: deviceNumber ?? { major: 8, minor: 1 } };
  return { ...plain, size: 0 };
}

export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest();
}

/** A manifest in memory that counts what is read from it. */
export class MemoryManifest implements RandomAccess {
  readonly bytes: Buffer;
  readonly reads: { offset: number; length: number }[] = [];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get size(): number {
    return this.bytes.length;
  }
  read(offset: number, length: number): Buffer {
    if (offset < 0 || length < 0 || offset + length > this.bytes.length) throw new Error(`read outside: ${offset}+${length}`);
    this.reads.push({ offset, length });
    return Buffer.from(this.bytes.subarray(offset, offset + length));
  }
  close(): void {}
}

export function write(rows: Iterable<ManifestRow>, rowsPerBlock = 1024): { bytes: Buffer; finished: FinishedManifest } {
  const chunks: Buffer[] = [];
  const writer = new ManifestWriter((chunk) => chunks.push(Buffer.from(chunk)), { rowsPerBlock });
  for (const row of rows) writer.add(row);
  const finished = writer.finish();
  return { bytes: Buffer.concat(chunks), finished };
}

export function written(rows: Iterable<ManifestRow>, rowsPerBlock = 1024): ManifestReader {
  const { bytes, finished } = write(rows, rowsPerBlock);
  return ManifestReader.open(new MemoryManifest(bytes), finished);
}

/** Rows in order, one for each path, without those that lie below what is no directory. */
export function arranged(rows: readonly ManifestRow[]): ManifestRow[] {
  const sorted = [...new Map(rows.map((row) => [row.path, row])).values()].sort((a, b) => comparePaths(a.path, b.path));
  const kept: ManifestRow[] = [];
  let closed: ByteString | undefined;
  for (const row of sorted) {
    if (closed !== undefined && isWithin(row.path, closed)) continue;
    kept.push(row);
    closed = row.kind === 'directory' ? undefined : row.path;
  }
  return kept;
}

/** The proper ancestors of a path, the nearest last. */
export function ancestors(path: ByteString): ByteString[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}
