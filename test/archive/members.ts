import { createHash } from 'node:crypto';
import { compressFrame, FRAME_TARGET } from '../../core/archive/frame.ts';
import { PackBuilder } from '../../core/archive/pack-builder.ts';
import { PackReader } from '../../core/archive/pack-reader.ts';
import { padding, type TarHeaderOptions, tarHeader } from '../../core/archive/tar-header.ts';
import type { Entry } from '../../core/manifest/entry.ts';

/** The same bytes on every run: SHAKE-256 of a word. */
export function noise(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** An entry with defaults for everything that a test does not care about. */
export function makeEntry(given: Pick<Entry, 'path' | 'kind'> & Partial<Entry>): Entry {
  return {
    mode: given.kind === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 1_700_000_000_123_456_789n,
    ctime: 0n,
    device: 0n,
    inode: 0n,
    linkCount: 1,
    xattrs: [],
    inodeFlags: 0,
    flags: 0,
    ...given,
  };
}

export interface Member {
  readonly entry: Entry;
  /** The stored bytes: of a sparse file its data ranges. */
  readonly content?: Buffer;
  readonly options?: TarHeaderOptions;
}

/** The members as tar, without an end of archive. */
export function tarOf(members: readonly Member[]): Buffer {
  return Buffer.concat(
    members.flatMap(({ entry, content = Buffer.alloc(0), options }) => [
      tarHeader(entry, options),
      content,
      Buffer.alloc(padding(content.length)),
    ]),
  );
}

/** A pack of these tar blocks, in frames of `frameLength` bytes. */
export async function packOf(tar: Buffer, frameLength = FRAME_TARGET): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const builder = new PackBuilder((bytes) => {
    pieces.push(Buffer.from(bytes));
  });
  for (let at = 0; at < tar.length; at += frameLength) {
    const blocks = tar.subarray(at, at + frameLength);
    await builder.addFrame(compressFrame(blocks), blocks.length);
  }
  await builder.finish();
  return Buffer.concat(pieces);
}

/** Opens a pack that lies in memory. */
export function openPack(pack: Buffer): Promise<PackReader> {
  return PackReader.open(pack.length, async (offset, length) => pack.subarray(offset, offset + length));
}

/** An ACL in the kernel's binary form; `id` only counts for named users (tag 2) and groups (tag 8). */
export function binaryAcl(...entries: [tag: number, permissions: number, id?: number][]): Buffer {
  const acl = Buffer.alloc(4 + entries.length * 8);
  acl.writeUInt32LE(2, 0);
  entries.forEach(([tag, permissions, id = 0xffffffff], index) => {
    acl.writeUInt16LE(tag, 4 + index * 8);
    acl.writeUInt16LE(permissions, 6 + index * 8);
    acl.writeUInt32LE(id, 8 + index * 8);
  });
  return acl;
}
