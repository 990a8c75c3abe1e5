import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { PUBLIC_KEY_LENGTH } from '../../crypto/ed25519.ts';
import { errorCode } from '../../linux/system-error.ts';

function fileOf(stateFolder: string, server: string): string {
  return join(stateFolder, 'trusted', `${server}.json`);
}

/** Nothing is there, or this user may not know. */
const UNKNOWN: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);

/**
 * The public keys (raw, base64) whose signatures this machine takes for a server's; none when it never met that. Throws when they cannot be
 * read today: a machine that knows nobody would believe the next best.
 */
export function readTrustedKeys(stateFolder: string, server: string): string[] {
  let text: string;
  try {
    text = readFileSync(fileOf(stateFolder, server), 'utf8');
  } catch (error) {
    if (UNKNOWN.has(errorCode(error))) return [];
    throw error;
  }
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys.filter(isKey) : [];
  } catch {
    return [];
  }
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && Buffer.from(key, 'base64').length === PUBLIC_KEY_LENGTH;
}

/** Adds keys to those of a server. Throws where that cannot be kept. */
export function keepTrustedKeys(stateFolder: string, server: string, keys: readonly string[]): void {
  const all = [...new Set([...readTrustedKeys(stateFolder, server), ...keys])];
  replaceFile(fileOf(stateFolder, server), Buffer.from(`${JSON.stringify({ keys: all }, null, 2)}\n`));
}
