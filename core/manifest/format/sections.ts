import { damaged } from './damage.ts';

/**
 * A container of byte sections: u32 magic, u32 number of sections, u32 length of each in bytes, then the sections. The
 * table and every section are filled up with zeros to 8 bytes, so that each can be used as a typed array where it lies.
 */
export function packSections(magic: number, sections: readonly Uint8Array[]): Buffer {
  let length = aligned(8 + 4 * sections.length);
  for (const section of sections) length += aligned(section.byteLength);
  const packed = Buffer.alloc(length);
  packed.writeUInt32LE(magic, 0);
  packed.writeUInt32LE(sections.length, 4);
  let offset = aligned(8 + 4 * sections.length);
  sections.forEach((section, index) => {
    packed.writeUInt32LE(section.byteLength, 8 + 4 * index);
    packed.set(section, offset);
    offset += aligned(section.byteLength);
  });
  return packed;
}

/** Takes a container of exactly `count` sections apart, without copying when `packed` lies at an 8-byte boundary. */
export function unpackSections(packed: Buffer, magic: number, count: number, what: string): Buffer[] {
  const bytes = packed.byteOffset % 8 === 0 ? packed : realigned(packed);
  const table = aligned(8 + 4 * count);
  if (bytes.length < table || bytes.readUInt32LE(0) !== magic || bytes.readUInt32LE(4) !== count) {
    throw damaged(`${what} does not begin as it should`);
  }
  const sections: Buffer[] = [];
  let offset = table;
  for (let index = 0; index < count; index++) {
    const length = bytes.readUInt32LE(8 + 4 * index);
    if (length > bytes.length - offset) throw damaged(`${what}: section ${index} reaches beyond its end`);
    sections.push(bytes.subarray(offset, offset + length));
    offset += aligned(length);
  }
  if (offset !== bytes.length) throw damaged(`${what}: ${bytes.length} bytes instead of ${offset}`);
  return sections;
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function realigned(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
