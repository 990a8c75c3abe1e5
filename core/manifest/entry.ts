/**
 * A file name, path or attribute name as the kernel has it: any bytes but NUL, one byte a character (latin1). So no name
 * is ever lost to a character set, and `<` on two such strings is byte order.
 */
export type ByteString = string;

export type EntryKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character-device' | 'block-device';

/** One extended attribute; the name includes its namespace, such as `user.` or `system.`. */
export interface Xattr {
  readonly name: ByteString;
  readonly value: Buffer;
}

/**
 * A stretch of content: `length` bytes that begin at `offset` of the decompressed frame `frame` (counted from 0) of a pack,
 * and run on into the following frames of that pack where one frame is not enough.
 */
export interface Extent {
  /** Path of the pack below the server's folder, such as `units/<unit-id>/packs/<pack-id>.tar.zst`. */
  readonly pack: string;
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
  /** SHA-256 of these bytes. Of a single-extent content it equals the content's digest. */
  readonly digest: Buffer;
}

/** A stretch of a sparse file that holds data, in bytes. Everything between such ranges, up to the size, is a hole. */
export interface DataRange {
  readonly offset: number;
  readonly length: number;
}

/** What is inside a regular file that is not empty. */
export interface Content {
  /** SHA-256 of the stored bytes: all of the file, or of a sparse file its data ranges one after the other. */
  readonly digest: Buffer;
  /** In order; together they are the stored bytes. Empty when the content is missing (see `EntryFlags.contentMissing`). */
  readonly extents: readonly Extent[];
  /** The data ranges of a sparse file, sorted; undefined when the file is stored whole. */
  readonly sparse?: readonly DataRange[];
}

/** Bits of `Entry.flags`. */
export const EntryFlags = {
  /** The file changed each time it was read; its content is what the last attempt saw. */
  changedWhileRead: 1,
  /** The content could not be read or stored; the metadata is right. */
  contentMissing: 2,
  /** The change time was too close to the reading to be trusted; the next run reads the entry again. */
  unsettled: 4,
  /** The extended attributes or inode flags could not be read completely. */
  attributesMissing: 8,
  /**
   * Of a directory: the run did not see all that is in it (it could not be listed, something is mounted in it, a name in it could
   * not be looked at), so what the snapshot does not have there may be there all the same.
   */
  notAllSeen: 16,
} as const;

/** One entry of a snapshot, with every property that a restore brings back. */
export interface Entry {
  /** Components joined by `/`, no leading slash, no `.` or `..`: `shadow/var/www/html/index.php`. */
  readonly path: ByteString;
  readonly kind: EntryKind;
  /** The 12 permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In bytes; 0 for anything but files and symlinks. */
  readonly size: number;
  /** Nanoseconds since 1970, may be negative. */
  readonly mtime: bigint;
  /** Nanoseconds since 1970. Not restorable; it is how changes are found. */
  readonly ctime: bigint;
  /** The device that the entry lies on, as (major << 32 | minor). */
  readonly device: bigint;
  readonly inode: bigint;
  /** Entries of one snapshot with a link count above 1 and the same device and inode are hard links of each other. */
  readonly linkCount: number;
  /** Of a character or block device; 0, 0 is an OverlayFS whiteout. */
  readonly deviceNumber?: { readonly major: number; readonly minor: number };
  readonly linkTarget?: ByteString;
  /** Sorted by name; includes POSIX ACLs, capabilities and `trusted.*`. */
  readonly xattrs: readonly Xattr[];
  /** `FS_IOC_GETFLAGS` bits that `chattr` may set (`core/linux/inode-flags.ts`), 0 for links and special files. */
  readonly inodeFlags: number;
  /** The project that a file or directory counts for, above 0 (`core/linux/project-id.ts`). */
  readonly projectId?: number;
  /** Of files with a size above 0. */
  readonly content?: Content;
  /** See `EntryFlags`. */
  readonly flags: number;
}

/** In a differential or incremental: this path and everything below it is gone. */
export interface Tombstone {
  readonly path: ByteString;
  readonly kind: 'tombstone';
}

export type ManifestRow = Entry | Tombstone;
