/** Files from this size on are cut into content-defined chunks, so that a later change costs what changed. */
export const LARGE_FILE = 4 * 1024 * 1024;

/** A batch is closed when its content reaches this many bytes: about one frame. */
export const BATCH_BYTES = 2 * 1024 * 1024;

/** A batch is closed at this many entries, so that trees of empty files stay within memory. */
export const BATCH_ENTRIES = 1024;

/** A batch is closed when the paths of its entries take this many bytes: some may have several kilobytes each. */
export const BATCH_PATH_BYTES = 512 * 1024;

/** A batch is closed when its entries lie in this many directories, each of which is held open. */
export const BATCH_DIRECTORIES = 64;

/** Batches that may be under way at once, for each worker: while one has a large file in hand, the others go on. */
export const BATCHES_PER_WORKER = 6;

/** Frames that a worker may have sent and that are not yet stored; it waits when there are more. */
export const FRAMES_UNDER_WAY = 4;

/** A pack is closed when it has this many bytes; big, so that a repository sees few requests. */
export const PACK_TARGET = 256 * 1024 * 1024;

/**
 * The most bytes of extended attributes that are kept of one entry: ext4 takes 4 KiB, a file system for desktops may take hundreds of MiB.
 */
export const ENTRY_ATTRIBUTE_BYTES = 1024 * 1024;

/** A worker that has read so many bytes of different attributes answers what it has; the rest of the batch is read afterwards. */
export const BATCH_ATTRIBUTE_BYTES = 4 * 1024 * 1024;

/** Problems of single entries that a result lists one by one; further ones are counted. */
export const WARNING_LIMIT = 1000;

/** The most bytes of JSON that the listed problems of one unit take, so that paths of many kilobytes do not fill records and answers. */
export const WARNING_BYTES = 256 * 1024;

/** Threads that list directories and look at entries. More than processors, where a disk has to be waited for, would cost memory. */
export const READERS = 2;

/** Pages that a reader may be ahead of the comparison: about one segment. */
export const PAGES_PER_READER = 8;

/** Entries after which another reader takes over. */
export const SEGMENT_ROWS = 8192;

/** A tree of fewer entries than this is read by the main thread alone. */
export const SMALL_TREE = 5000;
