import { seal, unseal } from '../../crypto/seal.ts';
import { Failure } from '../../failure.ts';
import { type DocumentKind, encodeDocument } from '../documents.ts';
import type { SealedMembers } from '../record.ts';
import { type DocumentStore, writeDocument } from '../stored-document.ts';
import { ofObject, type ServerKeys } from './server-keys.ts';

/** Where a document is stored. */
interface Target extends DocumentStore {
  readonly keys: ServerKeys;
}

/** A document that may have members which only some can read. */
interface Sealable {
  readonly sealed?: SealedMembers;
}

/** Stores a document, with its private members sealed where the server encrypts; returns the SHA-256 (hexadecimal) of its bytes. */
export async function writeSealed<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, target: Target): Promise<string> {
  const { keys } = target;
  const stored = await conceal(kind, name, value, keys);
  const sha256 = await writeDocument(target, kind, name, stored);
  if (stored.sealed !== undefined && kind.hide !== undefined) keys.parts.save(name, stored.sealed.age, kind.hide(value).hidden);
  return sha256;
}

/** The bytes of the same, signed, for whoever stores them otherwise; `target` has a key for which it encrypts. */
export async function sealedBytes<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, target: Target): Promise<Buffer> {
  return target.signatures.sign(name, encodeDocument(kind, await conceal(kind, name, value, target.keys)));
}

/** The document as it is stored: where the server encrypts, with its private members in `sealed` alone. */
async function conceal<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, keys: ServerKeys): Promise<T> {
  if (keys.current === undefined || kind.hide === undefined) return value;
  const { open, hidden } = kind.hide(value);
  const age = await seal(JSON.stringify({ name, members: hidden }), keys.current.recipients);
  return { ...open, sealed: { keys: keys.current.id, age: age.toString('base64') } };
}

/**
 * The document with all its members: by the state's copy, or else by an identity. Throws `identity_missing`, `identity_wrong`, and
 * `repository_damaged` when what is sealed is not this object's.
 */
export async function reveal<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, keys: ServerKeys): Promise<T> {
  const { sealed } = value;
  if (sealed === undefined) return value;
  const known = keys.parts.load(name, sealed.age);
  if (known !== undefined) return withMembers(kind, name, value, known);
  const members = await unsealed(name, sealed, keys);
  const whole = withMembers(kind, name, value, members);
  keys.parts.save(name, sealed.age, members);
  return whole;
}

/** The same by what is stored alone. */
export async function revealStored<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, keys: ServerKeys): Promise<T> {
  const { sealed } = value;
  return sealed === undefined ? value : withMembers(kind, name, value, await unsealed(name, sealed, keys));
}

function withMembers<T extends Sealable>(kind: DocumentKind<T>, name: string, value: T, members: Record<string, unknown>): T {
  const { sealed: _, ...open } = value;
  // Nobody vouches for what is sealed but the record that it stands in: it can say nothing else than what was hidden.
  if (!Object.keys(members).every((member) => kind.hidden.includes(member as keyof T))) throw foreign(name);
  const whole = { ...open, ...members } as T;
  if (!kind.validate(whole))
    throw new Failure('repository_damaged', `${name}: what is sealed in it is not what belongs there`, { affected: [name] });
  return whole;
}

async function unsealed(name: string, { keys: id, age }: SealedMembers, keys: ServerKeys): Promise<Record<string, unknown>> {
  await keys.requireReadable([{ path: '.age', keys: id }]);
  let content: { readonly name?: unknown; readonly members?: unknown };
  try {
    content = JSON.parse(await unseal(Buffer.from(age, 'base64'), await keys.identities()));
  } catch (error) {
    throw error instanceof SyntaxError ? foreign(name) : ofObject(name, error);
  }
  const { members } = content;
  if (content.name !== name || typeof members !== 'object' || members === null || Array.isArray(members)) throw foreign(name);
  return members as Record<string, unknown>;
}

function foreign(name: string): Failure {
  return new Failure('repository_damaged', `${name}: what is sealed in it belongs to another object`, { affected: [name] });
}
