import type { ByteString } from '../manifest/entry.ts';

export const BLOCK = 512;

/** Longest values of the fields; what does not fit is said by a pax record instead. */
export const NAME_LENGTH = 100;
export const ID_LIMIT = 0o7777777;
export const NUMBER_LIMIT = 0o77777777777;

/** The type flags that packs use. */
export const TypeFlag = {
  file: 0x30,
  hardLink: 0x31,
  symlink: 0x32,
  characterDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  pax: 0x78,
} as const;

const NAME = 0;
const MODE = 100;
const UID = 108;
const GID = 116;
const SIZE = 124;
const MTIME = 136;
const CHECKSUM = 148;
const TYPE_FLAG = 156;
const LINK_NAME = 157;
const MAGIC = 257;
const DEVICE_MAJOR = 329;
const DEVICE_MINOR = 337;

/** A header in which every number is 0 and every name empty, and the sum of its bytes with blanks for the checksum. */
const EMPTY_HEADER = Buffer.alloc(BLOCK);
for (const [at, digits] of [
  [MODE, 7],
  [UID, 7],
  [GID, 7],
  [SIZE, 11],
  [MTIME, 11],
  [DEVICE_MAJOR, 7],
  [DEVICE_MINOR, 7],
] as const) {
  EMPTY_HEADER.fill('0', at, at + digits);
}
EMPTY_HEADER.fill(' ', CHECKSUM, CHECKSUM + 8);
EMPTY_HEADER.write('ustar\x0000', MAGIC, 'latin1');
const EMPTY_SUM = EMPTY_HEADER.reduce((sum, byte) => sum + byte, 0);

/** The fields of a ustar header (POSIX.1-2017 pax, "ustar Interchange Format"). Values fit their fields. */
export interface UstarHeader {
  /** Cut at 100 bytes. */
  readonly name: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** In seconds since 1970. */
  readonly mtime: number;
  readonly typeFlag: number;
  /** Cut at 100 bytes. */
  readonly linkName: ByteString;
  readonly major: number;
  readonly minor: number;
}

/** Writes the 512 bytes of a header at `at`. User and group names stay empty: owners are numbers here. */
export function writeUstarHeader(target: Buffer, at: number, header: UstarHeader): void {
  EMPTY_HEADER.copy(target, at);
  let sum = EMPTY_SUM + header.typeFlag;
  sum += writeName(target, at + NAME, header.name);
  sum += writeOctal(target, at + MODE + 7, header.mode);
  sum += writeOctal(target, at + UID + 7, header.uid);
  sum += writeOctal(target, at + GID + 7, header.gid);
  sum += writeOctal(target, at + SIZE + 11, header.size);
  sum += writeOctal(target, at + MTIME + 11, header.mtime);
  target[at + TYPE_FLAG] = header.typeFlag;
  sum += writeName(target, at + LINK_NAME, header.linkName);
  sum += writeOctal(target, at + DEVICE_MAJOR + 7, header.major);
  sum += writeOctal(target, at + DEVICE_MINOR + 7, header.minor);
  target.fill('0', at + CHECKSUM, at + CHECKSUM + 6);
  writeOctal(target, at + CHECKSUM + 6, sum);
  target[at + CHECKSUM + 6] = 0;
}

/** Returns by how much the name raises the header's sum. */
function writeName(target: Buffer, at: number, name: ByteString): number {
  const end = at + target.latin1Write(name, at, NAME_LENGTH);
  let sum = 0;
  for (let index = at; index < end; index++) sum += target[index]!;
  return sum;
}

/** Puts the octal digits of a number before `end` into a field of zeros; returns by how much they raise the header's sum. */
function writeOctal(target: Buffer, end: number, value: number): number {
  let sum = 0;
  for (let at = end - 1, left = value; left > 0; at--) {
    const digit = left % 8;
    target[at] = 0x30 + digit;
    sum += digit;
    left = (left - digit) / 8;
  }
  return sum;
}
