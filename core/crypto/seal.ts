import { isUtf8 } from 'node:buffer';
import { Failure } from '../failure.ts';
import { newHeader, openHeader } from './header.ts';
import type { Identity } from './identity.ts';
import { DirectStreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';

/** A text as an age file. */
export async function seal(text: string, recipients: readonly string[]): Promise<Buffer> {
  const { bytes, key } = await newHeader(recipients);
  return Buffer.concat([bytes, await sealedContent([Buffer.from(text)], key.key)]);
}

/** What is stored behind the header of content that comes in these parts. */
export async function sealedContent(parts: Iterable<Uint8Array>, key: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const store = async (sealed: Buffer): Promise<void> => void chunks.push(Buffer.from(sealed));
  const writer = new StreamWriter(key);
  for (const part of parts) await writer.push(part, store);
  await writer.finish(store);
  return Buffer.concat(chunks);
}

/** The text of an age file. Throws `identity_wrong`, `repository_damaged`. */
export async function unseal(sealed: Buffer, identities: readonly Identity[]): Promise<string> {
  const read = (offset: number, length: number): Buffer => sealed.subarray(offset, offset + length);
  const key = await openHeader(sealed.length, async (offset, length) => read(offset, length), identities);
  const reader = new DirectStreamReader(sealed.length, key, read);
  const plain = reader.read(0, reader.plainLength);
  if (!isUtf8(plain)) throw new Failure('repository_damaged', 'what is in it is no text');
  return plain.toString('utf8');
}
