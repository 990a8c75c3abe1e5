import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { readMounts } from '../linux/mounts.ts';
import type { ByteString } from '../manifest/entry.ts';
import { sourceOf } from '../scan/walk/scan-roots.ts';
import { ACCOUNT_EXCLUSIONS, isExport } from './always-excluded.ts';
import { type PanelUnit, pathBytes } from './unit.ts';

/** Where database servers keep their live files: EL's places, and Debian's. */
const FOLDERS = ['var/lib/mysql', 'var/lib/pgsql', 'var/lib/postgresql'];

/** A folder of live database files, and everything above it: by identity, what is it called from there. */
interface RawFolder {
  readonly path: string;
  readonly identity: string;
  readonly below: ReadonlyMap<string, string>;
}

/**
 * The paths of a unit below which live database files lie, under whatever name: a folder is known by its device and inode, so that neither a
 * bind mount nor a link hides it. Throws `raw_database_refused` when a root of the unit is such a folder, or lies in one.
 */
export function rawDatabasesIn({ name, roots }: Pick<PanelUnit, 'name' | 'roots'>, systemRoot: string): ByteString[] {
  const raws = FOLDERS.flatMap((folder) => rawFolder(join(systemRoot, folder)) ?? []);
  const excluded: ByteString[] = [];
  for (const root of roots) {
    const source = realPath(Buffer.from(sourceOf(root), 'latin1'));
    const identity = source === undefined ? undefined : identityOf(source);
    if (source === undefined || identity === undefined) continue;
    excluded.push(...ownUnderOtherNames(root.path, source, identity));
    for (const raw of raws) {
      const below = raw.below.get(identity);
      const isFile = name === 'system' && isExport(root.path);
      if (below === '' || (!isFile && liesIn(source, identity, raw))) throw refused(name, root.path, raw);
      if (below !== undefined) excluded.push(`${root.path}/${pathBytes(below)}`);
    }
  }
  return excluded;
}

/** Where the folders of an account really lie that its databases are in, where a link of the account leads to another place of it. */
function ownUnderOtherNames(root: ByteString, source: string, identity: string): ByteString[] {
  return ACCOUNT_EXCLUSIONS.filter((path) => path.startsWith(`${root}/`)).flatMap((path) => {
    const below = rawFolder(join(source, path.slice(root.length + 1)))?.below.get(identity);
    const real = below === undefined || below === '' ? path : `${root}/${pathBytes(below)}`;
    return real === path ? [] : [real];
  });
}

function refused(unit: string, path: ByteString, raw: RawFolder): Failure {
  return new Failure('raw_database_refused', `${path} of ${unit} holds live database files of ${raw.path}, which cannot be restored`, {
    affected: [path],
    advice: 'Move the account away from there; its databases are dumped by themselves.',
  });
}

function rawFolder(path: string): RawFolder | undefined {
  const real = realPath(Buffer.from(path));
  const identity = real === undefined ? undefined : identityOf(real);
  if (real === undefined || identity === undefined) return undefined;
  const below = new Map<string, string>();
  for (let folder = real; ; folder = dirname(folder)) {
    const known = identityOf(folder);
    if (known !== undefined && !below.has(known)) below.set(known, real.slice(folder === '/' ? 1 : folder.length + 1));
    if (folder === '/') return { path, identity, below };
  }
}

/** By the folders above it; what is mounted somewhere else has others there, and is compared with each database's folder. */
function liesIn(source: string, identity: string, raw: RawFolder): boolean {
  for (let folder = dirname(source); folder !== '/'; folder = dirname(folder)) if (identityOf(folder) === raw.identity) return true;
  const isMounted = readMounts().some(({ mountPoint }) => mountPoint === pathBytes(source));
  return isMounted && namesIn(raw.path).some((name) => identityOf(join(raw.path, name)) === identity);
}

/** Device and inode of a folder; undefined for what is none, or not there. */
function identityOf(path: string): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false, bigint: true });
  return status?.isDirectory() === true ? `${status.dev}:${status.ino}` : undefined;
}

function realPath(path: Buffer): string | undefined {
  try {
    return realpathSync(path, { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
