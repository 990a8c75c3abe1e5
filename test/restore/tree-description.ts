import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { readNames } from '../../core/linux/directories.ts';
import { closeDescriptor, openAt, openDirectoryAt, openHandleAt, openTrustedDirectory, readLinkAt } from '../../core/linux/files.ts';
import { O_NOATIME, O_NONBLOCK, O_RDONLY } from '../../core/linux/flags.ts';
import { dataRanges } from '../../core/linux/holes.ts';
import { readInodeFlags } from '../../core/linux/inode-flags.ts';
import { StatBuffer, statAt, statDescriptor } from '../../core/linux/stat.ts';
import { readXattrs } from '../../core/linux/xattrs.ts';
import type { ByteString, DataRange, Entry } from '../../core/manifest/entry.ts';

/** An entry as it is on disk, with the bytes that a backup would store. */
export interface FoundEntry {
  readonly entry: Entry;
  readonly stored: Buffer | undefined;
}

const stat = new StatBuffer();

function readAll(descriptor: number, ranges: readonly DataRange[]): Buffer {
  return Buffer.concat(
    ranges.map(({ offset, length }) => {
      const bytes = Buffer.alloc(length);
      for (let done = 0; done < length; ) done += readSync(descriptor, bytes, done, length - done, offset + done);
      return bytes;
    }),
  );
}

function describe(directory: number, name: ByteString, path: ByteString): FoundEntry {
  statAt(directory, name, stat);
  const { kind } = stat;
  const opened = kind === 'file' || kind === 'directory';
  const descriptor = opened ? openAt(directory, name, O_RDONLY | O_NONBLOCK | O_NOATIME) : openHandleAt(directory, name);
  try {
    statDescriptor(descriptor, stat);
    const { mode, uid, gid, size, mtime, ctime, device, inode, linkCount, blocks } = stat;
    const isDevice = kind === 'character-device' || kind === 'block-device';
    const ranges = kind === 'file' && blocks * 512 < size ? dataRanges(descriptor, size) : undefined;
    const stored = kind === 'file' && size > 0 ? readAll(descriptor, ranges ?? [{ offset: 0, length: size }]) : undefined;
    const digest = createHash('sha256')
      .update(stored ?? '')
      .digest();
    const entry: Entry = {
      ...{ path, kind, mode, uid, gid, mtime, ctime, device, inode, linkCount },
      size: kind === 'file' || kind === 'symlink' ? size : 0,
      ...(isDevice ? { deviceNumber: stat.deviceNumber } : {}),
      ...(kind === 'symlink' ? { linkTarget: readLinkAt(directory, name) } : {}),
      xattrs: readXattrs(descriptor),
      inodeFlags: opened ? readInodeFlags(descriptor) : 0,
      ...(stored === undefined ? {} : { content: { digest, extents: [], ...(ranges === undefined ? {} : { sparse: ranges }) } }),
      flags: 0,
    };
    return { entry, stored };
  } finally {
    closeDescriptor(descriptor);
  }
}

function* below(directory: number, prefix: ByteString): Generator<FoundEntry> {
  const listing = openDirectoryAt(directory, '.');
  const names = readNames(listing);
  closeDescriptor(listing);
  for (const name of names) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const found = describe(directory, name, path);
    yield found;
    if (found.entry.kind !== 'directory') continue;
    const child = openDirectoryAt(directory, name);
    try {
      yield* below(child, path);
    } finally {
      closeDescriptor(child);
    }
  }
}

/** Everything below a directory, in path order. */
export function* walkTree(root: string): Generator<FoundEntry> {
  const descriptor = openTrustedDirectory(root);
  try {
    yield* below(descriptor, '');
  } finally {
    closeDescriptor(descriptor);
  }
}

/** What a restore gives back of each entry, by path: comparable with `deep.equal`. */
export function describeTree(root: string): Record<string, unknown> {
  const groups = new Map<bigint, string>();
  const described: Record<string, unknown> = {};
  for (const { entry } of walkTree(root)) {
    const { path, ctime, device, inode, linkCount, xattrs, content, ...rest } = entry;
    const firstName = groups.get(inode) ?? path;
    groups.set(inode, firstName);
    described[path] = {
      ...rest,
      ...(entry.kind === 'directory' ? {} : { linkCount, firstName }),
      xattrs: xattrs.map(({ name, value }) => `${name}=${value.toString('hex')}`),
      content: content?.digest.toString('hex'),
      sparse: content?.sparse,
    };
  }
  return described;
}
