import { asFailure } from '../failure.ts';
import {
  type DocumentKind,
  deletionDocument,
  holdDocument,
  keyDocument,
  machineDocument,
  noteDocument,
  serverDocument,
  unitDocument,
} from './documents.ts';
import { keepObject, keptNames, keptObject } from './kept-objects.ts';
import { DELETIONS_FOLDER, HOLDS_FOLDER, KEYS_FOLDER, MACHINES_FOLDER, NOTES_FOLDER, SERVER_FILE, unitPath } from './layout.ts';
import type { Repository } from './repository.ts';
import { readDocument, writeBytes } from './stored-document.ts';

/** Throws when an object cannot be used. */
type Check = (repository: Repository, name: string) => Promise<unknown>;

function checking<T>(kind: DocumentKind<T>): Check {
  return (repository, name) => readDocument(repository, kind, name);
}

/** The folders of small objects of a server. */
const FOLDERS: readonly (readonly [folder: string, check: Check])[] = [
  [MACHINES_FOLDER, checking(machineDocument)],
  [KEYS_FOLDER, checking(keyDocument)],
  [NOTES_FOLDER, checking(noteDocument)],
  [HOLDS_FOLDER, checking(holdDocument)],
  [DELETIONS_FOLDER, checking(deletionDocument)],
];

/** How much is looked at: what is small and few, and of units those that were found to be damaged; or all. */
export type MendScope = 'quick' | 'all';

/**
 * Puts back those small objects of this machine's server that are damaged or missing, from the copies in the state directory, and gives their names. Keeps copies
 * of those that it has none of, as far as they can be used. The caller keeps away whoever adds or removes holds. With `isTrial` nothing is
 * changed. What cannot be put back is told, and stops nothing.
 */
export async function mendObjects(repository: Repository, scope: MendScope, isTrial = false): Promise<string[]> {
  const { stateFolder, server, units } = repository;
  const kept = keptNames(stateFolder, server);
  const damaged = new Set([...(await units.unusable())].map((id) => repository.nameOf(unitPath(id))));
  const mended: string[] = [];
  for (const name of kept) {
    if (scope === 'quick' && name.endsWith('/unit.json') && !damaged.has(name)) continue;
    if (!(await isAsKept(repository, name, scope)) && (isTrial || (await putBack(repository, name)))) mended.push(name);
  }
  if (!isTrial) await keepOthers(repository, new Set(kept));
  return mended;
}

/** Whether an object has the bytes of its copy. Of a distant place a quick look takes its length for that: each object would cost a request in each run. */
async function isAsKept({ backend, stateFolder }: Repository, name: string, scope: MendScope): Promise<boolean> {
  const copy = keptObject(stateFolder, name);
  if (copy === undefined) return true;
  try {
    if ((await backend.size(name)) !== copy.length) return false;
    return (backend.isDistant === true && scope === 'quick') || (await backend.read(name)).equals(copy);
  } catch (error) {
    // What the place does not give today is not replaced.
    return asFailure(error).code !== 'repository_damaged';
  }
}

async function putBack(repository: Repository, name: string): Promise<boolean> {
  const { backend, stateFolder, notify } = repository;
  const copy = keptObject(stateFolder, name);
  if (copy === undefined) return false;
  try {
    await writeBytes(backend, name, copy, 'replacing');
    notify({ level: 'warning', code: 'mended', message: `${name} was damaged or missing, and was put back`, affected: [name] });
    return true;
  } catch (error) {
    const { code, message } = asFailure(error);
    notify({ level: 'warning', code, message: `${name} cannot be put back: ${message}`, affected: [name] });
    return false;
  }
}

async function keepOthers(repository: Repository, kept: ReadonlySet<string>): Promise<void> {
  const keep = async (path: string, check: Check): Promise<void> => {
    const name = repository.nameOf(path);
    if (kept.has(name)) return;
    try {
      await check(repository, name);
      keepObject(repository.stateFolder, name, await repository.readObject(path));
    } catch {
      // Whoever reads it says what is wrong with it.
    }
  };
  await keep(SERVER_FILE, checking(serverDocument));
  for (const [folder, check] of FOLDERS) {
    const paths: string[] = [];
    for await (const { name } of repository.listObjects(`${folder}/`)) paths.push(name);
    for (const path of paths) await keep(path, check);
  }
  for (const id of await repository.units.ids()) await keep(unitPath(id), checking(unitDocument));
}
