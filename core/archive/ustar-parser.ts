import type { ByteString } from '../manifest/entry.ts';
import { byte } from '../manifest/format/columns.ts';
import { damagedTar } from './damage.ts';
import { BLOCK, UstarField, type UstarHeader, writeUstarHeader } from './ustar.ts';

const reencoded = Buffer.alloc(BLOCK);

/**
 * The fields of a ustar header of exactly the form that `writeUstarHeader` gives it: it is written again from what was read
 * and compared, so that no byte is left to be understood in two ways. `repository_damaged` otherwise.
 */
export function parseUstarHeader(block: Buffer): UstarHeader {
  const header = {
    name: parseName(block, UstarField.name),
    mode: parseOctal(block, UstarField.mode, 7),
    uid: parseOctal(block, UstarField.uid, 7),
    gid: parseOctal(block, UstarField.gid, 7),
    size: parseOctal(block, UstarField.size, 11),
    mtime: parseOctal(block, UstarField.mtime, 11),
    typeFlag: byte(block, UstarField.typeFlag),
    linkName: parseName(block, UstarField.linkName),
    major: parseOctal(block, UstarField.major, 7),
    minor: parseOctal(block, UstarField.minor, 7),
  };
  writeUstarHeader(reencoded, 0, header);
  if (!reencoded.equals(block)) throw damagedTar('a header is malformed or its checksum is wrong');
  return header;
}

function parseName(block: Buffer, at: number): ByteString {
  const field = block.latin1Slice(at, at + 100);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

function parseOctal(block: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index++) {
    const digit = byte(block, index) - 0x30;
    if (digit < 0 || digit > 7) throw damagedTar('a header field is not octal');
    value = value * 8 + digit;
  }
  return value;
}
