import { Failure } from '../failure.ts';
import {
  type DocumentKind,
  encodeDocument,
  holdDocument,
  machineDocument,
  noteDocument,
  runDocument,
  serverDocument,
  unitDocument,
} from '../repository/documents.ts';
import { reveal, sealedBytes } from '../repository/keys/sealed-members.ts';
import { HOLDS_FOLDER, MACHINES_FOLDER, NOTES_FOLDER, RUNS_FOLDER, runPath, SERVER_FILE, snapshotPath } from '../repository/layout.ts';
import type { SealedMembers } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunRecord } from '../repository/run-record.ts';
import { readDocument, type StoredDocument } from '../repository/stored-document.ts';
import { isLocked } from './copied.ts';

/** From where to where. */
interface Remaking {
  readonly source: Repository;
  readonly target: Repository;
}

/** The SHA-256 (hexadecimal) of what the target has at a path; undefined where it does not have it. */
export type DigestThere = (path: string) => string | undefined;

/** What every document of a server says. */
interface OfServer {
  readonly repository: string;
  readonly server: string;
  readonly sealed?: SealedMembers;
}

/**
 * The bytes of a document of the source, other than the record of a snapshot, as the target has it: of that repository, signed by this server, its private members for
 * the target's recipients. Those that this server cannot read are left out. Throws `repository_damaged`.
 */
export function remade(path: string, work: Remaking, digestThere: DigestThere): Promise<Buffer> {
  if (path === SERVER_FILE) return remadeServer(work);
  const [folder] = path.split('/');
  if (folder === MACHINES_FOLDER) return remadeMachine(path, work);
  if (folder === NOTES_FOLDER) return remadePrivate(noteDocument, path, work);
  if (folder === HOLDS_FOLDER) return remadePrivate(holdDocument, path, work);
  if (folder === RUNS_FOLDER) return remadePrivate(runDocument, path, work, (run) => withLinks(run, digestThere));
  return remadePrivate(unitDocument, path, work);
}

/** The digest of such a document, if it is this server's, at its place. Throws `repository_damaged`. */
export async function digestOfOwn(path: string, repository: Repository): Promise<string> {
  if (path === SERVER_FILE) return (await readOwn(serverDocument, path, repository)).sha256;
  const [folder] = path.split('/');
  if (folder === MACHINES_FOLDER) return (await readOwn(machineDocument, path, repository)).sha256;
  if (folder === NOTES_FOLDER) return (await readOwn(noteDocument, path, repository)).sha256;
  if (folder === HOLDS_FOLDER) return (await readOwn(holdDocument, path, repository)).sha256;
  if (folder === RUNS_FOLDER) return (await readOwn(runDocument, path, repository)).sha256;
  return (await readOwn(unitDocument, path, repository)).sha256;
}

async function readOwn<T extends OfServer>(kind: DocumentKind<T>, path: string, repository: Repository): Promise<StoredDocument<T>> {
  const name = repository.nameOf(path);
  const stored = await readDocument(repository, kind, name);
  const { repository: of, server } = stored.value;
  if (of === repository.identity.id && server === repository.server) return stored;
  throw new Failure('repository_damaged', `${name} was copied from elsewhere`, { affected: [name] });
}

async function remadeServer({ source, target }: Remaking): Promise<Buffer> {
  const { value } = await readOwn(serverDocument, SERVER_FILE, source);
  const server = { ...value, repository: target.identity.id, copyOf: source.identity.id };
  return target.signatures.sign(target.nameOf(SERVER_FILE), encodeDocument(serverDocument, server));
}

/** All that the server has in the target is signed, some of it by keys that it had when the copy was begun. */
async function remadeMachine(path: string, { source, target }: Remaking): Promise<Buffer> {
  const { adopted: _, formerKeys: __, ...machine } = (await readOwn(machineDocument, path, source)).value;
  const own = source.signatures.ownKey(source.server)?.publicKey.toString('base64');
  const former = source.signatures.trusted(source.server).filter((key) => key !== own);
  const record = { ...machine, repository: target.identity.id, ...(former.length === 0 ? {} : { formerKeys: former }) };
  return target.signatures.sign(target.nameOf(path), encodeDocument(machineDocument, record));
}

async function remadePrivate<T extends OfServer>(
  kind: DocumentKind<T>,
  path: string,
  { source, target }: Remaking,
  change = (value: T): T => value,
): Promise<Buffer> {
  const value = await readable(kind, path, source);
  return sealedBytes(kind, target.nameOf(path), change({ ...value, repository: target.identity.id }), target);
}

async function readable<T extends OfServer>(kind: DocumentKind<T>, path: string, source: Repository): Promise<T> {
  const { value } = await readOwn(kind, path, source);
  try {
    return await reveal(kind, source.nameOf(path), value, source.keys);
  } catch (error) {
    if (!isLocked(error)) throw error;
    const { sealed: _, ...open } = value;
    return open as T;
  }
}

/** Links lead to what the target has. Of what it does not have the digest says nothing there. */
function withLinks(run: RunRecord, digestThere: DigestThere): RunRecord {
  const there = <Link extends { readonly sha256: string }>(link: Link, path: string): Link => ({
    ...link,
    sha256: digestThere(path) ?? link.sha256,
  });
  const units = run.units.map((unit) => {
    const { snapshot, unit: id } = unit;
    return snapshot === null || id === null ? unit : { ...unit, snapshot: there(snapshot, snapshotPath(id, snapshot.id)) };
  });
  const { log } = run;
  if (log?.previous == null) return { ...run, units };
  return { ...run, units, log: { ...log, previous: there(log.previous, runPath(log.previous.id)) } };
}
