import { createHash } from 'node:crypto';
import { asFailure, Failure } from '../failure.ts';
import type { Backend, WriteMode } from './backends/backend.ts';
import { type DocumentKind, decodeDocument, encodeDocument } from './documents.ts';
import { keepObject, keptObject } from './kept-objects.ts';
import { isGenuine, signatureOf } from './signatures/signed-document.ts';

/** A document as it was read, with the SHA-256 (hexadecimal) of its bytes. */
export interface StoredDocument<T> {
  readonly value: T;
  readonly sha256: string;
  /** The public key (raw, base64) that signed it; undefined when none did. */
  readonly signer?: string;
  /** Why it would be refused without the link to it. */
  readonly doubt?: Failure;
}

/** Where documents are, and who signs and judges them. */
export interface DocumentStore {
  readonly backend: Backend;
  /** Where copies are kept of what this machine's server writes. */
  readonly stateFolder: string;
  readonly signatures: {
    /** Throws `repository_damaged` when this machine does not take the document for one of its server. */
    admit(name: string, document: Pick<StoredDocument<unknown>, 'sha256' | 'signer'>): Promise<void>;
    /** The document with the signature of this machine's server. */
    sign(name: string, document: Buffer): Buffer;
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Reads a document, no larger than its kind may be, and believes its signature when the key that it names made it, whosever that is. Throws
 * `repository_damaged` when it is missing or wrong, `repository_newer` when a newer program wrote it.
 */
export async function readUnjudged<T>(backend: Backend, kind: DocumentKind<T>, name: string): Promise<StoredDocument<T>> {
  const { bytes, ...stored } = await readWhole(backend, kind, name);
  return { ...stored, ...signerOf(bytes, name) };
}

async function readWhole<T>(
  backend: Backend,
  kind: DocumentKind<T>,
  name: string,
): Promise<StoredDocument<T> & { readonly bytes: Buffer }> {
  const bytes = await backend.readWhole(name, kind.limit);
  return { value: decodeSigned(kind, bytes, name), sha256: digestOf(bytes), bytes };
}

/** What says a newer version and is not what its signature is of was damaged, and no newer program wrote it. */
function decodeSigned<T>(kind: DocumentKind<T>, bytes: Buffer, name: string): T {
  try {
    return decodeDocument(kind, bytes, name);
  } catch (error) {
    if (asFailure(error).code === 'repository_newer') signerOf(bytes, name);
    throw error;
  }
}

/** The key that signed a document; none where nobody did. Throws `repository_damaged` when the key that it names did not. */
function signerOf(bytes: Buffer, name: string): { readonly signer?: string } {
  const signature = signatureOf(bytes);
  if (signature === undefined) return {};
  if (!isGenuine(signature, name)) {
    throw new Failure('repository_damaged', `${name} was changed after it was signed, or stood elsewhere`, { affected: [name] });
  }
  return { signer: signature.key.toString('base64') };
}

/**
 * Reads and checks a document of a server, which must be signed by that, or be the one of this SHA-256 that an object which was checked links to: then it
 * may be signed by a key that nothing names any more, or not at all. A signature that does not fit is damage all the same. Throws as `readUnjudged`.
 */
export async function readDocument<T>(
  store: DocumentStore,
  kind: DocumentKind<T>,
  name: string,
  linked?: string,
): Promise<StoredDocument<T>> {
  const { bytes, ...stored } = await readWhole(store.backend, kind, name);
  const signer = signerOf(bytes, name);
  try {
    await store.signatures.admit(name, { ...stored, ...signer });
  } catch (error) {
    const doubt = asFailure(error);
    if (stored.sha256 !== linked || doubt.code !== 'repository_damaged') throw error;
    return { ...stored, doubt };
  }
  return stored;
}

/**
 * A document of this machine's server by the copy that the state directory keeps, which was checked before it was kept; undefined when there is none that
 * can be used.
 */
export function readKept<T>({ stateFolder }: Pick<DocumentStore, 'stateFolder'>, kind: DocumentKind<T>, name: string): T | undefined {
  try {
    const bytes = keptObject(stateFolder, name);
    return bytes === undefined ? undefined : decodeDocument(kind, bytes, name);
  } catch {
    return undefined;
  }
}

/** Throws `repository_damaged` when this machine does not take these bytes for a document of the server in whose folder the name is. */
export async function requireAdmitted(store: DocumentStore, name: string, bytes: Buffer): Promise<void> {
  await store.signatures.admit(name, { sha256: digestOf(bytes), ...signerOf(bytes, name) });
}

/** Stores a document of this machine's server under a name that must be free; returns the SHA-256 (hexadecimal) of its bytes. */
export async function writeDocument<T>(store: DocumentStore, kind: DocumentKind<T>, name: string, value: T): Promise<string> {
  const bytes = store.signatures.sign(name, encodeDocument(kind, value));
  await writeBytes(store.backend, name, bytes);
  keepObject(store.stateFolder, name, bytes);
  return digestOf(bytes);
}

/** The same of what belongs to no server, so that nobody can sign it. */
export async function writeUnsigned<T>(
  backend: Backend,
  kind: DocumentKind<T>,
  name: string,
  value: T,
  mode: WriteMode = 'new',
): Promise<void> {
  await writeBytes(backend, name, encodeDocument(kind, value), mode);
}

/** Stores bytes under a name, in one go. */
export async function writeBytes(backend: Backend, name: string, bytes: Buffer, mode: WriteMode = 'new'): Promise<void> {
  const writer = await backend.create(name, mode);
  try {
    await writer.write(bytes);
    await writer.commit();
  } finally {
    await writer.abort();
  }
}
