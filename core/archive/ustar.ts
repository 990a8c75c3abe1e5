import type { ByteString } from '../manifest/entry.ts';
import { byte } from '../manifest/format/columns.ts';

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

/** Where the fields begin. */
export const UstarField = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  checksum: 148,
  typeFlag: 156,
  linkName: 157,
  magic: 257,
  major: 329,
  minor: 337,
} as const;

/** A header in which every number is 0 and every name empty, and the sum of its bytes with blanks for the checksum. */
const EMPTY_HEADER = Buffer.alloc(BLOCK);
for (const [at, digits] of [
  [UstarField.mode, 7],
  [UstarField.uid, 7],
  [UstarField.gid, 7],
  [UstarField.size, 11],
  [UstarField.mtime, 11],
  [UstarField.major, 7],
  [UstarField.minor, 7],
] as const) {
  EMPTY_HEADER.fill('0', at, at + digits);
}
EMPTY_HEADER.fill(' ', UstarField.checksum, UstarField.checksum + 8);
EMPTY_HEADER.write('ustar\x0000', UstarField.magic, 'latin1');
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
  sum += writeName(target, at + UstarField.name, header.name);
  sum += writeOctal(target, at + UstarField.mode + 7, header.mode);
  sum += writeOctal(target, at + UstarField.uid + 7, header.uid);
  sum += writeOctal(target, at + UstarField.gid + 7, header.gid);
  sum += writeOctal(target, at + UstarField.size + 11, header.size);
  sum += writeOctal(target, at + UstarField.mtime + 11, header.mtime);
  target[at + UstarField.typeFlag] = header.typeFlag;
  sum += writeName(target, at + UstarField.linkName, header.linkName);
  sum += writeOctal(target, at + UstarField.major + 7, header.major);
  sum += writeOctal(target, at + UstarField.minor + 7, header.minor);
  target.fill('0', at + UstarField.checksum, at + UstarField.checksum + 6);
  writeOctal(target, at + UstarField.checksum + 6, sum);
  target[at + UstarField.checksum + 6] = 0;
}

/** Returns by how much the name raises the header's sum. */
function writeName(target: Buffer, at: number, name: ByteString): number {
  const end = at + target.latin1Write(name, at, NAME_LENGTH);
  let sum = 0;
  for (let index = at; index < end; index++) sum += byte(target, index);
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
