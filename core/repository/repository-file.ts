import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { asFailure } from '../failure.ts';
import { decodeDocument, encodeDocument, repositoryDocument } from './documents.ts';
import type { RepositoryIdentity } from './identity.ts';
import { REPOSITORY_FILE } from './layout.ts';
import type { Place } from './opened-place.ts';
import { repositoryStateFolder } from './state-directory.ts';
import { writeUnsigned } from './stored-document.ts';

/** What `repository.json` said when this machine met the repository; undefined when that is lost. */
export function keptIdentity(stateDirectory: string, id: string): RepositoryIdentity | undefined {
  try {
    const file = join(repositoryStateFolder(stateDirectory, id), REPOSITORY_FILE);
    const kept = decodeDocument(repositoryDocument, readFileSync(file), file);
    return kept.id === id ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what `repository.json` says, once: what it says later counts for nothing. Throws where that cannot be kept. */
export function keepIdentity(stateDirectory: string, repository: RepositoryIdentity): void {
  const file = join(repositoryStateFolder(stateDirectory, repository.id), REPOSITORY_FILE);
  if (!existsSync(file)) replaceFile(file, encodeDocument(repositoryDocument, repository));
}

/** Writes `repository.json` anew where it was damaged. That it cannot be written now keeps nobody from working. Gives whether it is whole. */
export async function mendRepositoryFile({ backend, repository, notify }: Place): Promise<boolean> {
  try {
    await writeUnsigned(backend, repositoryDocument, REPOSITORY_FILE, repository, 'replacing');
    notify({ level: 'info', code: 'mended', message: `${REPOSITORY_FILE} was written anew`, affected: [REPOSITORY_FILE] });
    return true;
  } catch (error) {
    const { code, message } = asFailure(error);
    notify({ level: 'warning', code, message: `${REPOSITORY_FILE} cannot be written anew: ${message}`, affected: [REPOSITORY_FILE] });
    return false;
  }
}
