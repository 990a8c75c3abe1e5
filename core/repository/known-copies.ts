import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { asFailure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { serverDocument } from './documents.ts';
import type { ServerIdentity } from './identity.ts';
import { isServerId } from './ids.ts';
import { SERVER_FILE, SERVERS_FOLDER, serverFolder } from './layout.ts';
import { repositoryStateFolder } from './state-directory.ts';
import { readUnjudged } from './stored-document.ts';

/**
 * A copy for recipients of its own is a repository of its own, with another id. What this machine remembers of it stands with what it remembers of the
 * repository that it is a copy of.
 */
const FILE = 'copy-of.json';
const REPOSITORY_ID = /^[0-9a-f]{32}$/;

/** The id of the repository of which another one is a copy, as this machine knows; undefined: it knows of none. */
export function sourceOfCopy(stateDirectory: string, copy: string): string | undefined {
  try {
    const { repository } = JSON.parse(readFileSync(join(repositoryStateFolder(stateDirectory, copy), FILE), 'utf8')) as Record<
      string,
      unknown
    >;
    return typeof repository === 'string' && REPOSITORY_ID.test(repository) ? repository : undefined;
  } catch {
    return undefined;
  }
}

/** Throws where that cannot be kept. */
export function rememberCopy(stateDirectory: string, copy: string, repository: string): void {
  if (sourceOfCopy(stateDirectory, copy) === repository) return;
  replaceFile(join(repositoryStateFolder(stateDirectory, copy), FILE), Buffer.from(`${JSON.stringify({ repository })}\n`));
}

/** What a place is to somebody who wants to copy a repository there. */
export type CopyPlace = 'empty' | 'ours' | 'others' | 'foreign';

/**
 * By what its servers say, which nobody vouches for: it decides whether to write there, and nothing is read by it. `others`: it has copies of other
 * servers, beside which there is room.
 */
export async function kindOfCopyPlace(backend: Backend, server: string, repository: string): Promise<CopyPlace> {
  const servers = (await backend.folders(SERVERS_FOLDER)).filter(isServerId);
  if (servers.length === 0) return 'empty';
  if (servers.includes(server)) return (await copiedBy(backend, server)) === repository ? 'ours' : 'foreign';
  for (const each of servers) if ((await copiedBy(backend, each)) !== undefined) return 'others';
  return 'foreign';
}

async function copiedBy(backend: Backend, server: string): Promise<ServerIdentity['copyOf']> {
  try {
    return (await readUnjudged(backend, serverDocument, `${serverFolder(server)}/${SERVER_FILE}`)).value.copyOf;
  } catch (error) {
    // Missing ones, too.
    if (asFailure(error).code !== 'repository_damaged') throw error;
    return undefined;
  }
}
