import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { SigningKey } from '../../crypto/ed25519.ts';
import { errorCode } from '../../linux/system-error.ts';
import { readServerState } from '../server-state.ts';
import { repositoriesFolder } from '../state-directory.ts';

function fileOf(stateFolder: string, server: string): string {
  return join(stateFolder, 'signing', `${server}.pem`);
}

/** The key with which this machine signs as a server; undefined when it has none, or what it has is no key. */
export function readSigningKey(stateFolder: string, server: string): SigningKey | undefined {
  let pem: string;
  try {
    pem = readFileSync(fileOf(stateFolder, server), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    return SigningKey.parse(pem);
  } catch {
    return undefined;
  }
}

/** A new key, which root alone can read. Throws where it cannot be kept: what is signed by a key that is lost helps nobody. */
export function makeSigningKey(stateFolder: string, server: string): SigningKey {
  const key = SigningKey.generate();
  replaceFile(fileOf(stateFolder, server), Buffer.from(key.toPem()));
  return key;
}

/** The keys with which this machine signs, one for each repository that it writes to. Throws where there is no state directory. */
export function ownKeys(stateDirectory: string): SigningKey[] {
  const folder = repositoriesFolder(stateDirectory);
  return readdirSync(folder).flatMap((repository) => {
    const state = join(folder, repository);
    const server = readServerState(state)?.server;
    return (server === undefined ? undefined : readSigningKey(state, server)) ?? [];
  });
}
