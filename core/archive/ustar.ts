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

const MAGIC_AND_VERSION = Buffer.from('ustar\x0000', 'latin1');

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
  target.fill(0, at, at + BLOCK);
  target.latin1Write(header.name, at + NAME, NAME_LENGTH);
  writeOctal(target, at + MODE, 7, header.mode);
  writeOctal(target, at + UID, 7, header.uid);
  writeOctal(target, at + GID, 7, header.gid);
  writeOctal(target, at + SIZE, 11, header.size);
  writeOctal(target, at + MTIME, 11, header.mtime);
  target.fill(0x20, at + CHECKSUM, at + CHECKSUM + 8);
  target[at + TYPE_FLAG] = header.typeFlag;
  target.latin1Write(header.linkName, at + LINK_NAME, NAME_LENGTH);
  MAGIC_AND_VERSION.copy(target, at + MAGIC);
  writeOctal(target, at + DEVICE_MAJOR, 7, header.major);
  writeOctal(target, at + DEVICE_MINOR, 7, header.minor);
  let sum = 0;
  // User name, group name and everything behind the device numbers are zeros.
  for (let index = at; index < at + DEVICE_MINOR + 8; index++) sum += target[index]!;
  writeOctal(target, at + CHECKSUM, 6, sum);
  target[at + CHECKSUM + 6] = 0;
}

/** `digits` octal digits; the byte behind them stays as it is. */
function writeOctal(target: Buffer, at: number, digits: number, value: number): void {
  let left = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const rest = Math.floor(left / 8);
    target[index] = 0x30 + (left - rest * 8);
    left = rest;
  }
}
