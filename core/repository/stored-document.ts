import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { type DocumentKind, decodeDocument, encodeDocument } from './documents.ts';

/** A document as it was read, with the SHA-256 (hexadecimal) of its bytes. */
export interface StoredDocument<T> {
  readonly value: T;
  readonly sha256: string;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Reads and checks a document, no larger than its kind may be. Throws `repository_damaged` when it is missing or wrong,
 * `repository_newer` when a newer program wrote it.
 */
export async function readDocument<T>(backend: Backend, kind: DocumentKind<T>, name: string): Promise<StoredDocument<T>> {
  const size = await backend.size(name);
  if (size !== undefined && size > kind.limit) {
    const message = `${name} has ${size} bytes, more than a ${kind.title} may have`;
    throw new Failure('repository_damaged', message, { affected: [name] });
  }
  const bytes = await backend.read(name, 0, size);
  return { value: decodeDocument(kind, bytes, name), sha256: digestOf(bytes) };
}

/** Stores a document under a name that must be free; returns the SHA-256 (hexadecimal) of its bytes. */
export async function writeDocument<T>(backend: Backend, kind: DocumentKind<T>, name: string, value: T): Promise<string> {
  const bytes = encodeDocument(kind, value);
  const writer = await backend.create(name);
  try {
    await writer.write(bytes);
    await writer.commit();
  } finally {
    await writer.abort();
  }
  return digestOf(bytes);
}
