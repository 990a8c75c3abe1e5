import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { untrusted } from '../config/trusted-place.ts';
import { Failure } from '../failure.ts';
import { type Mount, readMounts } from '../linux/mounts.ts';
import { type Place, pathBelow, placeOf } from '../linux/place.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { sourceOf } from '../scan/walk/scan-roots.ts';
import { isAccountName } from './accounts.ts';
import { ACCOUNT_EXCLUSIONS, isExport } from './always-excluded.ts';
import { type PanelPlaces, type PanelUnit, pathBytes } from './unit.ts';

type Engine = 'mysql' | 'postgresql';

/** A folder in which a server has its live files. */
export interface DataFolder {
  readonly engine: Engine;
  /** As the server or the panel names it. */
  readonly path: string;
}

/** Live database files in a unit, which are left out. */
export interface RawDatabases {
  readonly engine: Engine;
  /** In the snapshot. */
  readonly path: ByteString;
  /** Whether they lie where the panel puts them. */
  readonly isUsual: boolean;
}

/** Where database servers keep their live files: EL's places, and Debian's. */
const FOLDERS: readonly DataFolder[] = [
  { engine: 'mysql', path: 'var/lib/mysql' },
  { engine: 'postgresql', path: 'var/lib/pgsql' },
  { engine: 'postgresql', path: 'var/lib/postgresql' },
];

/** Where those of an account are, below its `shadow`. */
const IN_SHADOW: readonly DataFolder[] = [
  { engine: 'mysql', path: 'var/lib/mysql' },
  { engine: 'postgresql', path: 'var/lib/pgsql' },
];

/** What only the top of a server's own folder has, both names together. */
const SIGNS: readonly (readonly [Engine, string, string])[] = [
  ['mysql', 'ibdata1', 'mysql'],
  ['postgresql', 'PG_VERSION', 'global'],
];

/** Levels of folders below which a table's file lies: `PG_15_…/DATABASE/FILE`. */
const DEPTH = 3;

interface RawFolder {
  readonly engine: Engine;
  readonly path: string;
  readonly place: Pick<Place, 'device' | 'path'>;
  readonly identity: string | undefined;
}

/**
 * The folders of live database files on a server, by where they lie in their file systems and by device and inode, so that neither a bind
 * mount nor a link hides one.
 */
export class RawFolders {
  readonly #folders: readonly RawFolder[];

  /** @param told folders that the servers name themselves */
  constructor({ accountsRoot, systemRoot }: PanelPlaces, told: readonly DataFolder[]) {
    const mounts = readMounts();
    const accounts = placeOf(pathBytes(accountsRoot), mounts);
    const own = FOLDERS.map(({ engine, path }) => ({ engine, path: join(systemRoot, path) }));
    const folders: RawFolder[] = [];
    for (const { engine, path } of [...own, ...told]) {
      const place = trustedPlace(path, mounts);
      // What holds the accounts as well is no folder of live files alone.
      if (place === undefined || (accounts !== undefined && pathBelow(accounts, place) !== undefined)) continue;
      folders.push({ engine, path, place, identity: place.identity });
    }
    this.#folders = [...folders, ...accountFolders(accountsRoot, mounts)];
  }

  /**
   * The live database files of a unit that are to be left out: at their usual place where there are any, and under whatever other name.
   * Throws `raw_database_refused` when a root of the unit is such a folder, or lies in one.
   */
  in({ name, roots }: Pick<PanelUnit, 'name' | 'roots'>): RawDatabases[] {
    const mounts = readMounts();
    const found = new Map<ByteString, RawDatabases>();
    for (const { path, ...root } of roots) {
      const place = placeOf(sourceOf({ path, ...root }), mounts);
      if (place === undefined) continue;
      const isFile = name === 'system' && isExport(path);
      const raw = this.#folders.find((folder) => isRefused(place, folder, isFile));
      if (raw !== undefined) throw refused(name, path, raw.path);
      const sign = isFile ? undefined : SIGNS.find(([, ...names]) => names.every((each) => existsSync(bytes(`${place.real}/${each}`))));
      if (sign !== undefined) throw refused(name, path, `a server, such as ${sign[1]}`);
      for (const { engine, place: inner } of this.#folders) {
        const below = pathBelow(inner, place);
        if (below !== undefined) note(found, { engine, path: `${path}/${below}`, isUsual: false });
      }
      for (const usual of ownFolders(path, place, mounts)) note(found, usual);
    }
    const excluded = new Set([...ACCOUNT_EXCLUSIONS, ...found.keys()]);
    const isOutermost = (path: ByteString) => ![...excluded].some((other) => other !== path && isWithin(path, other));
    return [...found.values()].filter(({ path, isUsual }) => isUsual || (!ACCOUNT_EXCLUSIONS.includes(path) && isOutermost(path)));
  }
}

/** Where a folder lies; undefined where others than root could have led the way to it elsewhere, such as into another account. */
function trustedPlace(path: string, mounts: readonly Mount[]): Place | undefined {
  const place = placeOf(pathBytes(path), mounts);
  return place === undefined || place.real === pathBytes(path) || untrusted(dirname(path)) === undefined ? place : undefined;
}

/** Of a folder with two reasons the usual one counts. */
function note(found: Map<ByteString, RawDatabases>, raw: RawDatabases): void {
  if (raw.isUsual || !found.has(raw.path)) found.set(raw.path, raw);
}

function isRefused(place: Place, { place: raw, identity }: RawFolder, isFile: boolean): boolean {
  const below = place.identity === identity ? '' : pathBelow(place, raw);
  return below === '' || (below !== undefined && !isFile);
}

/** What accounts have below their `shadow`, as the panel places it: where a tenant could lead it to by a link is nobody's business. */
function accountFolders(accountsRoot: string, mounts: readonly Mount[]): RawFolder[] {
  return namesIn(accountsRoot)
    .filter(isAccountName)
    .flatMap((account) => {
      const shadow = join(accountsRoot, account, 'shadow');
      const place = placeOf(pathBytes(shadow), mounts);
      if (place === undefined) return [];
      return IN_SHADOW.map(({ engine, path }): RawFolder => {
        return { engine, path: join(shadow, path), place: { device: place.device, path: `${place.path}/${path}` }, identity: undefined };
      });
    });
}

/** Where the folders of an account really lie that its databases are in: a link of the account may lead to another place of it. */
function ownFolders(root: ByteString, source: Place, mounts: readonly Mount[]): RawDatabases[] {
  if (root !== 'shadow') return [];
  return IN_SHADOW.flatMap(({ engine, path }): RawDatabases[] => {
    const place = placeOf(`${source.real}/${path}`, mounts);
    const below = place === undefined ? undefined : pathBelow(place, source);
    if (place === undefined || below === undefined || below === '') return [];
    const isUsual = below === path;
    return isUsual && !hasFiles(place.real, DEPTH) ? [] : [{ engine, path: `${root}/${below}`, isUsual }];
  });
}

function hasFiles(folder: ByteString, depth: number): boolean {
  try {
    const entries = readdirSync(bytes(folder), { withFileTypes: true, encoding: 'latin1' as BufferEncoding });
    return entries.some((entry) => entry.isFile() || (depth > 1 && entry.isDirectory() && hasFiles(`${folder}/${entry.name}`, depth - 1)));
  } catch {
    // What cannot be read may have some.
    return true;
  }
}

function refused(unit: string, path: ByteString, raw: string): Failure {
  return new Failure('raw_database_refused', `${path} of ${unit} holds live database files of ${raw}, which cannot be restored`, {
    affected: [path],
    advice: 'Move the account away from there; its databases are dumped by themselves.',
  });
}

function bytes(path: ByteString): Buffer {
  return Buffer.from(path, 'latin1');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
