/** 'MBLK' */
export const BLOCK_MAGIC = 0x4b4c_424d;

/** The sections of a block, in the order in which they lie there. docs/format/manifest.md gives their meaning to the byte. */
export const BLOCK_SECTIONS = [
  'parentPath',
  'kind',
  'flags',
  'depth',
  'nameOffsets',
  'names',
  'mode',
  'uid',
  'gid',
  'linkCount',
  'deviceIndex',
  'size',
  'mtimeSeconds',
  'mtimeNanoseconds',
  'ctimeSeconds',
  'ctimeNanoseconds',
  'inode',
  'xattrSet',
  'inodeFlags',
  'devices',
  'xattrSetOffsets',
  'xattrNameOffsets',
  'xattrNames',
  'xattrValueOffsets',
  'xattrValues',
  'linkRows',
  'linkOffsets',
  'linkTargets',
  'deviceNumberRows',
  'deviceNumbers',
  'contentRows',
  'contentDigests',
  'extentOffsets',
  'extentPack',
  'extentFrame',
  'extentStart',
  'extentLength',
  'extentDigestOffsets',
  'extentDigests',
  'sparseRows',
  'sparseOffsets',
  'sparseRanges',
] as const;

export type BlockSection = (typeof BLOCK_SECTIONS)[number];

export const DIGEST_BYTES = 32;
