import { hash } from 'node:crypto';
import { damaged } from '../format/damage.ts';
import { FOOTER_BYTES, readFooter, writeFooter } from '../format/envelope.ts';
import { compressBlock, decompressBlock } from '../format/frames.ts';
import { INDEX_MAGIC, INDEX_SECTIONS, type IndexSection } from '../format/index-layout.ts';
import { INDEX_BYTES_MAX } from '../format/limits.ts';
import { packSections, unpackSections } from '../format/sections.ts';
import { ManifestIndex } from '../read/manifest-index.ts';
import { packTable } from './index-builder.ts';

/** The end of a manifest, from the index on, and where the index is. */
export interface ManifestEnd {
  readonly bytes: Buffer;
  readonly index: { readonly offset: number; readonly length: number; readonly sha256: string };
}

/**
 * The end of a manifest whose packs have other names: what lies before it stays as it is. `end` is all from the index on, which begins at `offset`. Throws
 * `repository_damaged` when it is none.
 */
export function renamePacks(end: Buffer, offset: number, rename: (pack: string) => string): ManifestEnd {
  if (end.length < FOOTER_BYTES) throw damaged('it is cut');
  const place = readFooter(end.subarray(end.length - FOOTER_BYTES), offset + end.length, true);
  if (place.offset !== offset) throw damaged('the index is not where the record says');
  const before = end.subarray(0, end.length - FOOTER_BYTES);
  const content = decompressBlock(before, place.contentLength, 'the index');
  const { packs } = new ManifestIndex(content, offset);
  const renamed = packs.map(rename);
  const isSame = renamed.every((pack, number) => pack === packs[number]);
  if (isSame) return { bytes: end, index: { offset, length: before.length, sha256: hash('sha256', before) } };
  const other = packSections(INDEX_MAGIC, sectionsWith(content, packTable(renamed)));
  if (other.length > INDEX_BYTES_MAX) throw damaged('its index would be too large to be read');
  const frame = compressBlock(other);
  const index = { offset, length: frame.length };
  const footer = writeFooter({ ...index, contentLength: other.length });
  return { bytes: Buffer.concat([frame, footer]), index: { ...index, sha256: hash('sha256', frame) } };
}

function sectionsWith(content: Buffer, changed: Partial<Record<IndexSection, Uint8Array>>): Uint8Array[] {
  const sections = unpackSections(content, INDEX_MAGIC, INDEX_SECTIONS.length, 'the index');
  return INDEX_SECTIONS.map((name, number) => changed[name] ?? (sections[number] as Buffer));
}
