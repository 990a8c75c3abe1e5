/** 'MIDX' */
export const INDEX_MAGIC = 0x5844_494d;

/** The sections of the index, in the order in which they lie there. docs/format/manifest.md gives their meaning to the byte. */
export const INDEX_SECTIONS = [
  'rowCount',
  'blockOffset',
  'blockLength',
  'blockContentLength',
  'blockRows',
  'firstPathShared',
  'firstPathOffsets',
  'firstPathRests',
  'blockDigests',
  'packOffsets',
  'packPaths',
] as const;

export type IndexSection = (typeof INDEX_SECTIONS)[number];
