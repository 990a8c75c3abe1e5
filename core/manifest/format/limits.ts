/** Rows of a block, context rows included. One path costs one block to read; a smaller block compresses less well. */
export const ROWS_PER_BLOCK = 1024;

/** A block is closed early when its rows take about this many bytes, so that files of very many extents stay bounded. */
export const BLOCK_BYTES_TARGET = 4 * 1024 * 1024;

/** The most bytes that one row may take besides its columns; a file of more pieces cannot be recorded. Some 800,000 extents: a terabyte. */
export const ROW_BYTES_MAX = 48 * 1024 * 1024;

/** The most bytes that a reader takes for one decompressed block: the target, and one row of the largest kind. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

/** The most rows that a reader takes in one block: what a block costs to search is bounded by it. */
export const BLOCK_ROWS_MAX = 65_536;

/** The most bytes that a reader takes for the decompressed index: room for some five hundred million rows. */
export const INDEX_BYTES_MAX = 64 * 1024 * 1024;

/** The most packs that one manifest may point at, and the longest path of one, in bytes. */
export const PACKS_MAX = 65_536;
export const PACK_PATH_MAX = 4096;

/** The longest path of a row, in bytes, and how deep it may lie; a writer stops far before. */
export const PATH_BYTES_MAX = 65_536;
export const DEPTH_MAX = 8192;

/** Decoded blocks that are kept, besides one for each manifest that is read together with others. */
export const CACHED_BLOCKS = 4;
