import { ManifestWriter } from '../write/manifest-writer.ts';
import { ManifestReader } from './manifest-reader.ts';
import { exactRange } from './random-access.ts';

/** A manifest without any row: it says nothing about any path. */
export function emptyManifest(): ManifestReader {
  const chunks: Buffer[] = [];
  new ManifestWriter((chunk) => chunks.push(Buffer.from(chunk))).finish();
  const bytes = Buffer.concat(chunks);
  const read = (offset: number, length: number) => bytes.subarray(offset, exactRange('an empty manifest', bytes.length, offset, length));
  return ManifestReader.open({ size: bytes.length, read, close: () => {} });
}
