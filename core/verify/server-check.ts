import { asFailure, Failure } from '../failure.ts';
import {
  type DocumentKind,
  deletionDocument,
  holdDocument,
  keyDocument,
  machineDocument,
  noteDocument,
  runDocument,
} from '../repository/documents.ts';
import { missingRuns, missingUnits, runMissing, snapshotMissing } from '../repository/history/missing.ts';
import { readRemovedNotes } from '../repository/history/seen.ts';
import { isTimedId } from '../repository/ids.ts';
import { objectMissing } from '../repository/kept-objects.ts';
import type { KeyRecord } from '../repository/keys/key-record.ts';
import { lockedProblem } from '../repository/keys/locked-identity.ts';
import { readServer } from '../repository/known-servers.ts';
import * as layout from '../repository/layout.ts';
import type { SealedMembers } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { readDocument } from '../repository/stored-document.ts';
import { putBack } from '../repository/unit-notes.ts';
import type { DamageList } from './damage-list.ts';
import type { KeyReferences, MaybeSealed } from './key-references.ts';
import { checkSealed } from './sealed-check.ts';
import type { KnownHistory } from './unit-check.ts';

/** A document that says where it belongs. */
interface Placed {
  readonly id?: string;
  readonly repository: string;
  readonly server: string;
  readonly snapshot?: string;
}

type Read = (repository: Repository, name: string) => Promise<{ readonly value: Placed }>;

/** Reads documents that may have sealed members, and opens those. */
function opening<T extends Placed & { readonly sealed?: SealedMembers }>(kind: DocumentKind<T>): Read {
  return async (repository, name) => {
    const { value } = await readDocument(repository, kind, name);
    await checkSealed(kind, name, value, repository);
    return { value };
  };
}

const openNote = opening(noteDocument);

const readNote: Read = (repository, name) => {
  if (readRemovedNotes(repository.stateFolder).includes(layout.recordIdOf(name) ?? '')) throw putBack(name);
  return openNote(repository, name);
};

/** The folders of small objects below that of a server. What is in them and has another name is passed over, as everywhere. */
const FOLDERS: readonly (readonly [folder: string, read: Read])[] = [
  [layout.MACHINES_FOLDER, (repository, name) => readDocument(repository, machineDocument, name)],
  [layout.NOTES_FOLDER, readNote],
  [layout.RUNS_FOLDER, opening(runDocument)],
  [layout.HOLDS_FOLDER, opening(holdDocument)],
  [layout.KEYS_FOLDER, (repository, name) => readDocument(repository, keyDocument, name)],
  [layout.DELETIONS_FOLDER, (repository, name) => readDocument(repository, deletionDocument, name)],
];

/** Looks at what a server's folder has besides its units, and for runs that are gone: none of it is needed to restore, but of passphrases the identities that they lock. */
export async function checkServer(
  repository: Repository,
  { runs, deletions }: KnownHistory,
  keys: KeyReferences,
  damages: DamageList,
): Promise<void> {
  const { place, identity, server } = repository;
  if (place.problem !== undefined) damages.add(layout.REPOSITORY_FILE, place.problem.failure, []);
  const own = repository.nameOf(layout.SERVER_FILE);
  const add = (object: string, error: unknown, snapshots: readonly string[] = []): void => damages.add(object, error, snapshots);
  try {
    const problem = (await readServer(place, server))?.problem;
    // Who writes there is said by the last machine record, which is looked at below.
    if (problem?.affected[0] === own) throw problem;
  } catch (error) {
    add(own, error);
  }
  const locked = new Map<string, string | undefined>();
  for (const [folder, read] of FOLDERS) {
    for await (const { name: path } of repository.listObjects(`${folder}/`)) {
      const [id, held] = [layout.recordIdOf(path) ?? '', layout.heldSnapshotOf(path)];
      if (!(isTimedId(id) || (folder === layout.HOLDS_FOLDER && held !== undefined))) continue;
      const name = repository.nameOf(path);
      try {
        const { value } = await read(repository, name);
        const isOwn = value.repository === identity.id && value.server === server && (value.id ?? value.snapshot) === (held ?? id);
        if (!isOwn) throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
        keys.add(value as MaybeSealed);
        const { passphraseRecipient, lockedSha256 } = value as Partial<KeyRecord>;
        if (typeof passphraseRecipient !== 'string') continue;
        const lockedPath = layout.lockedIdentityPath(passphraseRecipient);
        locked.set(lockedPath, lockedSha256 ?? locked.get(lockedPath));
      } catch (error) {
        // Removed since it was listed, by a prune or by whoever released it.
        if ((await repository.objectSize(path)) !== undefined) add(name, error, held === undefined ? [] : [held]);
      }
    }
  }
  for (const name of await repository.missingObjects('', new Set())) {
    const held = layout.heldSnapshotOf(name.slice(repository.nameOf('').length));
    // What is damaged of a unit is told with it.
    if (name !== own && !name.endsWith('/unit.json')) add(name, objectMissing(name), held === undefined ? [] : [held]);
  }
  const newest = await repository.runs.missing();
  const missing = [...(newest === undefined ? [] : [newest.id]), ...(await missingRuns(repository, runs))];
  for (const id of missing) add(repository.nameOf(layout.runPath(id)), runMissing(id));
  for (const { unit, snapshot } of await missingUnits(repository, runs, { before: deletions }))
    add(repository.nameOf(layout.snapshotPath(unit, snapshot)), snapshotMissing(unit, snapshot));
  for (const [path, sha256] of locked) {
    const name = repository.nameOf(path);
    const problem = await lockedProblem(repository.backend, name, sha256).catch((error) => asFailure(error).message);
    if (problem !== undefined) add(name, new Failure('repository_damaged', problem, { affected: [name] }));
  }
}
