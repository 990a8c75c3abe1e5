import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { keepInState } from '../../context/keep-state.ts';
import type { Notify } from '../../context/notice.ts';
import { asFailure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';
import { decodeDocument, keyDocument } from '../documents.ts';
import { repositoriesFolder } from '../state-directory.ts';
import type { KeyRecord } from './key-record.ts';

const FILE = 'keys.json';

/**
 * For whom this server encrypts, as its state directory remembers: whoever can write to the repository must not be able to change that. Null
 * says that nothing is encrypted; undefined that nothing is known. `server`: only what is remembered of that one.
 */
export function readPinnedKey(stateFolder: string, server: string | undefined): KeyRecord | null | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(stateFolder, FILE));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // What cannot be read now is not what was never there: the repository alone must not decide.
    throw asFailure(error);
  }
  try {
    const { server: of, key } = JSON.parse(bytes.toString('utf8')) as { server?: unknown; key?: unknown };
    if (server !== undefined && of !== server) return undefined;
    return key === null ? null : decodeDocument(keyDocument, Buffer.from(JSON.stringify(key)), FILE);
  } catch {
    // Damaged: the repository says it, too, signed by this server.
    return undefined;
  }
}

/** What a state directory remembers of every repository. */
export function pinnedKeys(stateDirectory: string): (KeyRecord | null)[] {
  const folder = repositoriesFolder(stateDirectory);
  const found = readdirSync(folder).map((repository) => readPinnedKey(join(folder, repository), undefined));
  return found.filter((key) => key !== undefined);
}

/** Throws where it cannot be kept. */
export function keepPinnedKey(stateFolder: string, server: string, key: KeyRecord | null): void {
  replaceFile(join(stateFolder, FILE), Buffer.from(`${JSON.stringify({ server, key })}\n`));
}

/** What the repository says, too: a state that cannot be written is said, and costs nothing but this protection. */
export function pinKey(stateFolder: string, server: string, key: KeyRecord | null, notify: Notify): void {
  keepInState(stateFolder, notify, () => keepPinnedKey(stateFolder, server, key));
}
