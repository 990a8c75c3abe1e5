import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ByteString } from '../manifest/entry.ts';
import type { ScanRoot } from '../scan/walk/scan-roots.ts';
import { refuseRawDatabases } from './always-excluded.ts';
import { type PanelUnit, pathBytes } from './unit.ts';

/**
 * What a server needs besides its accounts, as the panel's vendor names it: the maps of accounts and mailboxes, the database
 * servers' grants, the answers that the server was set up with, and the panel's own configuration (its home has either of
 * two names). `*` stands for any characters of one component.
 */
const LOCATIONS = [
  'etc/virtualhosting',
  'root/apnscp-vars.yml',
  'root/apnscp-vars-runtime.yml',
  'usr/local/apnscp/config',
  'usr/local/apiscp/config',
  'var/lib/mysql/mysql-grants*',
  'var/lib/pgsql/*/backups',
  'var/log/mailer_table*',
];

/** Whether a location has a lasting name: what a `*` stands for comes and goes, as exports of an older database server do. */
export function isLasting(path: ByteString): boolean {
  return LOCATIONS.includes(path);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** The paths below `root` that match the components of a pattern. */
function expand(root: string, path: string, components: readonly string[]): string[] {
  const [component, ...rest] = components;
  if (component === undefined) return exists(join(root, path)) ? [path] : [];
  const star = component.indexOf('*');
  if (star < 0) return expand(root, join(path, component), rest);
  const before = component.slice(0, star);
  const after = component.slice(star + 1);
  return namesIn(join(root, path))
    .filter((name) => name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after))
    .flatMap((name) => expand(root, join(path, name), rest));
}

/** Each place once: the panel's home may be a link to its other name, and the real one is taken then. */
function withoutAliases(root: string, paths: readonly string[]): string[] {
  const realRoot = realpathSync(root);
  const chosen = new Map<string, string>();
  for (const path of paths) {
    const real = join(realpathSync(join(root, dirname(path))), basename(path));
    if (!chosen.has(real) || real === join(realRoot, path)) chosen.set(real, path);
  }
  return [...chosen.values()];
}

/** The server-wide locations that exist below `systemRoot`, `/` on a running server. */
export function systemUnit(systemRoot: string): PanelUnit {
  const paths = withoutAliases(
    systemRoot,
    LOCATIONS.flatMap((location) => expand(systemRoot, '', location.split('/'))),
  );
  const roots = paths.map((path): ScanRoot => ({ path: pathBytes(path), parent: pathBytes(dirname(join(systemRoot, path))) }));
  for (const { path } of roots) refuseRawDatabases(path);
  // There is one system on a server, however often its parts are replaced.
  return {
    name: 'system',
    incarnation: 'system',
    domain: null,
    adminUser: null,
    roots,
    excluded: [],
    missing: [],
    followed: [],
    folder: undefined,
  };
}
