import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SigningKey } from '../../core/crypto/ed25519.ts';
import { withSignature } from '../../core/repository/signatures/signed-document.ts';

/** The name of the object that a file of a repository is. */
function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/servers/') + 1);
}

/** The bytes of a JSON object as the program of its server stores it: signed with the key that the state directory has. */
export function signedBytes(value: object, file: string, stateDirectory: string): Buffer {
  const name = nameOf(file);
  const [pem] = globSync(join(stateDirectory, '**/signing', `${name.split('/')[1]}.pem`));
  if (pem === undefined) throw new Error(`no key in ${stateDirectory} signs ${name}`);
  const { signature: _, ...document } = value as { signature?: unknown };
  return withSignature(Buffer.from(`${JSON.stringify(document, null, 2)}\n`), name, SigningKey.parse(readFileSync(pem, 'utf8')));
}

/** Gives an object of a repository other members, signed by its server, as if that had written it so: the copy that it keeps of it says the same. */
export function changeSigned(file: string, stateDirectory: string, changes: object): void {
  const bytes = signedBytes({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }, file, stateDirectory);
  const copies = globSync(join(stateDirectory, 'repositories/*/kept', nameOf(file)));
  for (const each of [file, ...copies]) {
    rmSync(each);
    writeFileSync(each, bytes);
  }
}
