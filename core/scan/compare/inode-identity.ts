import { word } from '../../manifest/format/columns.ts';
/** Which inode of which device: what stays the same while a directory is moved, and differs when another takes its place. */
export interface InodeIdentity {
  readonly inodeLow: number;
  readonly inodeHigh: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Of a `struct statx` (linux/stat.h) that begins at `at` of `words`. */
export function identityOf(words: Uint32Array, at = 0): InodeIdentity {
  return {
    inodeLow: word(words, at + 8),
    inodeHigh: word(words, at + 9),
    deviceMajor: word(words, at + 34),
    deviceMinor: word(words, at + 35),
  };
}

export function isOnDeviceOf({ deviceMajor, deviceMinor }: InodeIdentity, words: Uint32Array, at = 0): boolean {
  return words[at + 34] === deviceMajor && words[at + 35] === deviceMinor;
}

export function hasIdentity(identity: InodeIdentity, words: Uint32Array, at = 0): boolean {
  return words[at + 8] === identity.inodeLow && words[at + 9] === identity.inodeHigh && isOnDeviceOf(identity, words, at);
}
