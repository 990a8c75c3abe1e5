import type { Hold } from '../chain/retention-policy.ts';
import { asFailure, Failure } from '../failure.ts';
import { holdDocument } from './documents.ts';
import type { HoldRecord } from './hold-record.ts';
import { objectMissing } from './kept-objects.ts';
import { reveal, writeSealed } from './keys/sealed-members.ts';
import * as layout from './layout.ts';
import type { Repository } from './repository.ts';
import { readDocument, readKept } from './stored-document.ts';

/** A hold as it is in the repository. */
export interface StoredHold {
  /** Below the server's folder. */
  readonly path: string;
  /** The id of the snapshot that it keeps. */
  readonly snapshot: string;
  readonly reason: string;
  /** RFC 3339 UTC; undefined: until it is released. */
  readonly expires?: string;
}

/** Holds as retention asks for them. */
export function retentionHolds(holds: readonly StoredHold[]): Hold[] {
  return holds.map(({ path: _, snapshot: id, ...rest }) => ({ id, ...rest }));
}

/**
 * All holds of this server. One that cannot be read, or that is gone and was not released here, is reported and holds all the same: its name says which
 * snapshot, and the copy in the state directory until when.
 */
export async function readHolds(repository: Repository): Promise<StoredHold[]> {
  const holds: StoredHold[] = [];
  const listed = new Set<string>();
  for await (const { name: path } of repository.listObjects(`${layout.HOLDS_FOLDER}/`)) {
    listed.add(repository.nameOf(path));
    const snapshot = layout.heldSnapshotOf(path);
    if (snapshot !== undefined) holds.push(await readHold(repository, path, snapshot));
  }
  for (const name of await repository.missingObjects(`${layout.HOLDS_FOLDER}/`, listed)) {
    const path = name.slice(repository.nameOf('').length);
    const snapshot = layout.heldSnapshotOf(path);
    if (snapshot === undefined) continue;
    const failure = objectMissing(name);
    repository.report(failure);
    holds.push(await insteadOf(repository, path, snapshot, failure));
  }
  return holds.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readHold(repository: Repository, path: string, snapshot: string): Promise<StoredHold> {
  const name = `${layout.serverFolder(repository.server)}/${path}`;
  try {
    const { value } = await readDocument(repository, holdDocument, name);
    const isOwn = value.snapshot === snapshot && value.server === repository.server && value.repository === repository.identity.id;
    if (!isOwn) throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
    return await described(repository, path, value);
  } catch (error) {
    repository.report(error);
    return insteadOf(repository, path, snapshot, asFailure(error));
  }
}

async function described(repository: Repository, path: string, hold: HoldRecord): Promise<StoredHold> {
  const { snapshot, expires } = hold;
  const reason = await reasonOf(repository, repository.nameOf(path), hold);
  return { path, snapshot, reason, ...(expires === null ? {} : { expires }) };
}

/** A hold that cannot be used, as the copy in the state directory says, or else by its name alone. */
async function insteadOf(repository: Repository, path: string, snapshot: string, { message }: Failure): Promise<StoredHold> {
  const kept = repository.isOwn ? readKept(repository, holdDocument, repository.nameOf(path)) : undefined;
  const hold = kept === undefined ? undefined : await described(repository, path, kept).catch(() => undefined);
  return hold ?? { path, snapshot, reason: message };
}

/** What somebody wrote; empty where it is sealed and nobody here can read it. */
async function reasonOf(repository: Repository, name: string, hold: HoldRecord): Promise<string> {
  if (hold.sealed === undefined || !(await repository.keys.canRead([{ path: '.age', keys: hold.sealed.keys }]))) return hold.reason;
  try {
    return (await reveal(holdDocument, name, hold, repository.keys)).reason;
  } catch (error) {
    // Where the key record is lost, too, only opening it tells for whom it is.
    if (!['identity_missing', 'identity_wrong'].includes(asFailure(error).code)) throw error;
    return hold.reason;
  }
}

/** Adds a hold beside those that the snapshot has already. */
export async function addHold(repository: Repository, hold: HoldRecord): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      const name = `${layout.serverFolder(repository.server)}/${layout.holdPath(hold.snapshot, number)}`;
      await writeSealed(holdDocument, name, hold, repository);
      return;
    } catch (error) {
      if (asFailure(error).code !== 'object_exists') throw error;
    }
  }
}
