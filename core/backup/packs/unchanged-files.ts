import { hash } from 'node:crypto';
import { letGo, openDirectoryAt, openTrustedDirectory, readBytes } from '../../linux/files.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { DeviceNumbers } from '../../manifest/device-numbers.ts';
import type { ByteString, DataRange, Entry, Extent } from '../../manifest/entry.ts';
import { parentPath } from '../../manifest/paths.ts';
import { openFileAt } from '../../scan/read/opened-entry.ts';
import { entryOfRoot, type ScanRoot } from '../../scan/walk/scan-roots.ts';

/**
 * The files of a unit that are still as its manifest says, as a source of what is stored already: of a server that cannot read its packs.
 * A file counts only while all that the scan compares is the same, before and after it is read, and its bytes have the digest that was
 * recorded. Whatever else it is, it is passed over.
 */
export class UnchangedFiles {
  readonly #roots: readonly ScanRoot[];
  readonly #devices: DeviceNumbers;
  readonly #stat = new StatBuffer();
  #folder: { readonly path: ByteString; readonly descriptor: number } | undefined;

  constructor(roots: readonly ScanRoot[], devices: DeviceNumbers) {
    this.#roots = roots;
    this.#devices = devices;
  }

  /**
   * The bytes of some extents of a file, one after the other; fewer when it is not, or does not stay, what the manifest says. `wanted` tells
   * which. Those that came before a change are right all the same: each has its digest.
   */
  *read(entry: Entry, wanted: (extent: Extent) => boolean): Generator<{ extent: Extent; bytes: Buffer }> {
    const descriptor = this.#open(entry);
    if (descriptor === undefined) return;
    try {
      let at = 0;
      for (const extent of entry.content?.extents ?? []) {
        if (wanted(extent)) {
          const bytes = readStored(descriptor, entry.content?.sparse, at, extent.length);
          if (!this.#isUnchanged(descriptor, entry) || !hash('sha256', bytes, 'buffer').equals(extent.digest)) return;
          yield { extent, bytes };
        }
        at += extent.length;
      }
    } catch (error) {
      // Whatever the file system answers: the old pack has it.
      if (errorCode(error) === undefined) throw error;
    } finally {
      letGo(descriptor);
    }
  }

  /** Lets go of every descriptor. */
  close(): void {
    if (this.#folder !== undefined) letGo(this.#folder.descriptor);
    this.#folder = undefined;
  }

  #open(entry: Entry): number | undefined {
    let descriptor: number | undefined;
    try {
      const root = this.#roots.find(({ path }) => entry.path === path || entry.path.startsWith(`${path}/`));
      if (root === undefined) return undefined;
      descriptor =
        entry.path === root.path
          ? openFileAt(
              this.#openFolder(root.parent, () => openTrustedDirectory(root.parent)),
              entryOfRoot(root),
            )
          : openFileAt(this.#folderOf(root, parentPath(entry.path)), entry.path.slice(entry.path.lastIndexOf('/') + 1));
      if (this.#isUnchanged(descriptor, entry)) return descriptor;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
    if (descriptor !== undefined) letGo(descriptor);
    return undefined;
  }

  /** The folder of this path in the snapshot, kept open: its files come one after the other. */
  #folderOf(root: ScanRoot, path: ByteString): number {
    return this.#openFolder(path, () => {
      let descriptor = openTrustedDirectory(root.parent);
      const below = path === root.path ? [] : path.slice(root.path.length + 1).split('/');
      for (const name of [entryOfRoot(root), ...below]) {
        const above = descriptor;
        try {
          descriptor = openDirectoryAt(above, name);
        } finally {
          letGo(above);
        }
      }
      return descriptor;
    });
  }

  #openFolder(path: ByteString, open: () => number): number {
    if (this.#folder?.path !== path) {
      this.close();
      this.#folder = { path, descriptor: open() };
    }
    return this.#folder.descriptor;
  }

  /** As the scan compares it. */
  #isUnchanged(descriptor: number, entry: Entry): boolean {
    const stat = this.#stat;
    statDescriptor(descriptor, stat);
    return (
      stat.isFile &&
      stat.ctime === entry.ctime &&
      stat.mtime === entry.mtime &&
      stat.size === entry.size &&
      stat.inode === entry.inode &&
      stat.device === this.#devices.toPresent(entry.device) &&
      stat.mode === entry.mode &&
      stat.uid === entry.uid &&
      stat.gid === entry.gid &&
      stat.linkCount === entry.linkCount
    );
  }
}

/** Reads `length` stored bytes from `start` on, which are all of a file, or of a sparse one its data ranges one after the other; fewer at its end. */
function readStored(descriptor: number, sparse: readonly DataRange[] | undefined, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  let before = 0;
  for (const range of sparse ?? [{ offset: 0, length: Number.MAX_SAFE_INTEGER }]) {
    for (let skip = start + filled - before; filled < length && skip < range.length; skip = start + filled - before) {
      const got = readBytes(descriptor, bytes, filled, Math.min(length - filled, range.length - skip), range.offset + skip);
      if (got === 0) return bytes.subarray(0, filled);
      filled += got;
    }
    before += range.length;
    if (filled === length) break;
  }
  return bytes.subarray(0, filled);
}
