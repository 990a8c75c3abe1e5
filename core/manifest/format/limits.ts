/** Rows of a block, context rows included. One path costs one block to read; a smaller block compresses less well. */
export const ROWS_PER_BLOCK = 1024;

/** A block is closed early when its rows take about this many bytes, so that files of very many extents stay bounded. */
export const BLOCK_BYTES_TARGET = 4 * 1024 * 1024;

/** The most bytes that a reader takes for one decompressed block; only a single huge row comes near. */
export const BLOCK_BYTES_MAX = 1024 * 1024 * 1024;

/** The most bytes that a reader takes for the decompressed index: room for more than a thousand million rows. */
export const INDEX_BYTES_MAX = 256 * 1024 * 1024;

/** Decoded blocks that are kept, besides one for each manifest that is read together with others. */
export const CACHED_BLOCKS = 4;
