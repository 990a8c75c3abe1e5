import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isLocked, parseIdentities } from '../../crypto/identity.ts';
import { Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';

/** Where somebody says that an identity or a passphrase is: never the secret itself, which would stand in a list of processes, a job or a log. */
export interface IdentitySource {
  /** A file of identities, or `-`: standard input. */
  readonly identity?: string | undefined;
  /** A file with the passphrase, or `-`. */
  readonly passphraseFile?: string | undefined;
  /** The descriptor of the standard input, where it is free for that. */
  readonly input?: number | undefined;
}

const LIMIT = 64 * 1024;

/** What came out of a pipe, which gives it once only: a listing of several pages asks for it again. */
const pipes = new Map<string, Buffer>();

/** The bytes of such a file. Pipes are read only where standard input is free, too: elsewhere they could be what requests come by. */
export function readSecret(name: string, { input }: IdentitySource): Buffer {
  if (name === '-') {
    if (input === undefined) throw new Failure('usage', 'standard input is not free for a key here: name a file', { affected: [name] });
    return once(name, () => readFileSync(input));
  }
  let descriptor: number | undefined;
  try {
    descriptor = openSync(name, 'r');
    const status = fstatSync(descriptor);
    if (!status.isFile() && input === undefined) throw new Failure('usage', `${name} is no regular file`, { affected: [name] });
    if (status.isFile() && status.size > LIMIT) throw tooLong(name);
    const open = descriptor;
    return status.isFile() ? limited(readFileSync(open), name) : once(name, () => readFileSync(open));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    const reason =
      code === 'ENOENT' ? 'is not there' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code ?? (error as Error).message})`;
    throw new Failure('usage', `the file ${name} ${reason}`, { affected: [name], cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function once(name: string, read: () => Buffer): Buffer {
  const bytes = pipes.get(name) ?? limited(read(), name === '-' ? 'standard input' : name);
  pipes.set(name, bytes);
  return bytes;
}

function tooLong(name: string): Failure {
  return new Failure('usage', `${name} has more than ${LIMIT} bytes, which no key has`, { affected: [name] });
}

function limited(bytes: Buffer, name: string): Buffer {
  if (bytes.length > LIMIT) throw tooLong(name);
  return bytes;
}

/**
 * Looks at the files that somebody named, also where nothing turns out to need them: what stands there may be a word that took the place of
 * the file. Throws `usage`, `identity_wrong`.
 */
export async function requireSource(source: IdentitySource): Promise<void> {
  const { identity = '-', passphraseFile = '-' } = source;
  if (passphraseFile !== '-') readPassphrases(passphraseFile, source);
  const bytes = identity === '-' ? undefined : readSecret(identity, source);
  if (bytes !== undefined && !isLocked(bytes)) await parseIdentities(bytes.toString('utf8'), identity);
}

/** The passphrase in such a file: its first line. Throws `usage` when that is empty. */
export function readPassphrase(name: string, source: IdentitySource): string {
  return readPassphrases(name, source)[0] as string;
}

/** So many are tried, each at a second for each identity that one locks. */
const PASSPHRASE_LIMIT = 8;

/** All passphrases in such a file, one a line: what was stored before a change of keys may need another one. Throws `usage` when the first line is empty. */
export function readPassphrases(name: string, source: IdentitySource): string[] {
  const lines = readSecret(name, source).toString('utf8').split('\n');
  const passphrases = lines.map((line) => line.replace(/\r$/, ''));
  if (passphrases[0] === '') throw new Failure('usage', `the first line of ${name} is empty, and no passphrase`, { affected: [name] });
  return passphrases.filter((passphrase) => passphrase !== '').slice(0, PASSPHRASE_LIMIT);
}
