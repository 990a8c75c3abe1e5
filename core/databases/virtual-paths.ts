import type { ByteString } from '../manifest/entry.ts';
import { ENGINES, type Engine } from './engine.ts';

/** The folder of a snapshot in which databases stand; the account's tree has none of that name. */
export const DATABASES: ByteString = 'databases';

/** The folders of a snapshot that stand for no folder of the server. */
export const VIRTUAL_FOLDERS: ReadonlySet<ByteString> = new Set([DATABASES]);

const ENDING = '.sql';

/** The folder of an engine's databases. */
export function folderOf(engine: Engine): ByteString {
  return `${DATABASES}/${engine}`;
}

/** Users and grants of an engine; beside the folder, so that no database can have this path. */
export function usersPath(engine: Engine): ByteString {
  return `${DATABASES}/${engine}-users${ENDING}`;
}

/** Where the dump of a database stands. */
export function pathOfDatabase(engine: Engine, name: string): ByteString {
  return `${folderOf(engine)}/${encodeName(name)}${ENDING}`;
}

/** Which database a path is the dump of; undefined for any other path. */
export function databaseOfPath(path: ByteString): { readonly engine: Engine; readonly name: string } | undefined {
  for (const engine of ENGINES) {
    const folder = `${folderOf(engine)}/`;
    const file = path.slice(folder.length);
    if (!path.startsWith(folder) || !file.endsWith(ENDING) || file.includes('/')) continue;
    const encoded = file.slice(0, -ENDING.length);
    const bytes = encoded.replaceAll(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    return { engine, name: Buffer.from(bytes, 'latin1').toString('utf8') };
  }
  return undefined;
}

/** A name as one component of a path, different for different names: only what a path or a terminal would take otherwise is written as `%XX`. */
function encodeName(name: string): ByteString {
  const bytes = Buffer.from(name, 'utf8').latin1Slice();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are meant
  return bytes.replaceAll(/[%/\x00-\x1f\x7f]|^\./g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
