import { lstatSync, openSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asFailure, Failure } from '../../../failure.ts';
import { readNames } from '../../../linux/directories.ts';
import {
  closeDescriptor,
  makeDirectoryAt,
  openAt,
  openDirectoryAt,
  openHandleAt,
  removeDirectoryAt,
  symlinkAt,
} from '../../../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../../../linux/flags.ts';
import { setMode, setOwner } from '../../../linux/metadata.ts';
import { StatBuffer, statDescriptor } from '../../../linux/stat.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import { quoteName, quoteText, serverKind } from './quoting.ts';

/** Where the folder of a database really lies, and what leads there. */
export interface LinkedFolder {
  /** What the server's data directory has in its place, as text. */
  readonly link: string;
  /** The data directory. */
  readonly data: string;
}

const OTHERS_MAY_WRITE = 0o022;
const FILES_GET_GROUP = 0o2000;

/**
 * The folder of a database, or of another of its account's when there is no such database, where that is a link: so a panel has
 * databases count against the quota of their account. Undefined where databases lie in the server's own folder, and of MySQL, to which a
 * folder is no database.
 *
 * @param isSibling whether a database is of the same account
 */
export async function linkedFolderOf(
  admin: MysqlConnection,
  database: string,
  isSibling: (name: string) => boolean,
): Promise<LinkedFolder | undefined> {
  const [server] = await admin.query('SELECT VERSION() AS version');
  // MySQL follows no such link, and has no function that tells the name of a folder.
  if (!serverKind(server!.version!).isMariadb) return undefined;
  const rows = await admin.query(
    'SELECT SCHEMA_NAME AS name, HEX(CONVERT(SCHEMA_NAME USING filename)) AS folder, @@datadir AS data FROM information_schema.SCHEMATA',
  );
  const itself = rows.find(({ name }) => name === database);
  for (const { folder, data } of itself === undefined ? rows.filter(({ name }) => isSibling(name!)) : [itself]) {
    const link = linkAt(join(data!, fromHex(folder!)));
    if (link !== undefined) return { link, data: data! };
  }
  return undefined;
}

function fromHex(text: string): string {
  return Buffer.from(text, 'hex').toString('latin1');
}

function linkAt(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
}

/** Against whose quota what lies in a folder counts: the account's, or nobody's. */
export type Counted = 'with the account' | 'with the server';

/**
 * Makes an empty database whose folder lies beside another one's where that one's is a link: tables can change their database within one
 * file system only.
 *
 * @param sets its character set and collation; empty: the server's
 * @throws Failure `database_refused` when there is one of that name
 */
export async function makeDatabaseBeside(
  admin: MysqlConnection,
  name: string,
  sets: string,
  beside: LinkedFolder | undefined,
  counted: Counted,
): Promise<void> {
  if (beside === undefined || !(await makeFolder(admin, name, beside, counted))) {
    await admin.query(`CREATE DATABASE ${quoteName(name)} ${sets}`);
    return;
  }
  if (sets === '') return;
  try {
    // To the server a folder is a database.
    await admin.query(`ALTER DATABASE ${quoteName(name)} ${sets}`);
  } catch (error) {
    await admin.query(`DROP DATABASE ${quoteName(name)}`);
    throw error;
  }
}

/** @returns false where somebody else than the server could put another folder in the place of the one that is made */
async function makeFolder(admin: MysqlConnection, name: string, { link, data }: LinkedFolder, counted: Counted): Promise<boolean> {
  const { folder } = await placeOf(admin, name);
  const dataDirectory = openSync(data, O_RDONLY | O_DIRECTORY);
  const opened = [dataDirectory];
  try {
    // As the server itself follows it.
    const original = openAt(dataDirectory, Buffer.from(`${link}/.`).latin1Slice(), O_RDONLY | O_DIRECTORY);
    opened.push(original);
    const parent = openAt(original, '..', O_RDONLY | O_DIRECTORY);
    opened.push(parent);
    if (!isServersAlone(parent, statusOf(dataDirectory).uid)) return false;
    makeDirectoryAt(parent, folder, 0o700);
    try {
      const made = openDirectoryAt(parent, folder);
      opened.push(made);
      const { uid, gid, mode } = statusOf(original);
      const isOwn = counted === 'with the account';
      setOwner(made, uid, isOwn ? gid : statusOf(dataDirectory).gid);
      setMode(made, isOwn ? mode : mode & ~FILES_GET_GROUP);
      symlinkAt(Buffer.from(join(dirname(link), folder)).latin1Slice(), dataDirectory, folder);
    } catch (error) {
      removeDirectoryAt(parent, folder);
      throw error;
    }
    return true;
  } catch (error) {
    const { message } = asFailure(error);
    throw new Failure('database_refused', `no folder can be made for the database ${name}: ${message}`, { affected: [name], cause: error });
  } finally {
    for (const descriptor of opened) closeDescriptor(descriptor);
  }
}

function isServersAlone(directory: number, server: number): boolean {
  const { uid, mode } = statusOf(directory);
  return (uid === 0 || uid === server) && (mode & OTHERS_MAY_WRITE) === 0;
}

function statusOf(descriptor: number): { readonly uid: number; readonly gid: number; readonly mode: number } {
  const status = new StatBuffer();
  statDescriptor(descriptor, status);
  return { uid: status.uid, gid: status.gid, mode: status.mode };
}

async function placeOf(admin: MysqlConnection, database: string): Promise<{ readonly data: string; readonly folder: string }> {
  const [row] = await admin.query(`SELECT HEX(CONVERT(${quoteText(database)} USING filename)) AS folder, @@datadir AS data`);
  return { data: row!.data!, folder: fromHex(row!.folder!) };
}

/** The folders in which the server writes when it loads a shadow, whose name is that of its folder. */
export async function foldersOf(admin: MysqlConnection, shadow: string): Promise<string[]> {
  const [row] = await admin.query('SELECT @@datadir AS data');
  return [row!.data!, join(row!.data!, shadow)];
}

/**
 * Has what was restored count against the quota of the account, and what is kept not: both would be more than the account may have, and a
 * server that cannot write any more can die of that.
 *
 * @returns what did not succeed, in words
 */
export async function countWithAccount(admin: MysqlConnection, live: string, kept: string | undefined): Promise<string[]> {
  try {
    const { data, folder } = await placeOf(admin, live);
    const own = statSync(join(data, folder));
    const server = statSync(data);
    if (kept !== undefined) giveFiles(join(data, (await placeOf(admin, kept)).folder), own.uid, server.gid);
    giveFiles(join(data, folder), own.uid, own.gid);
    return [];
  } catch (error) {
    return [`what was restored does not count against the quota of the account: ${asFailure(error).message}`];
  }
}

function giveFiles(folder: string, uid: number, gid: number): void {
  const directory = openSync(folder, O_RDONLY | O_DIRECTORY);
  try {
    for (const name of readNames(directory)) {
      const file = openHandleAt(directory, name);
      try {
        if (statusOf(file).uid === uid) setOwner(file, uid, gid);
      } finally {
        closeDescriptor(file);
      }
    }
  } finally {
    closeDescriptor(directory);
  }
}
