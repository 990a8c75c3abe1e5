import { closeSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, sep } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { asFailure, Failure } from '../failure.ts';
import { openTrustedDirectory } from '../linux/files.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { liveTree } from '../panel/live-mounts.ts';
import { pathBytes } from '../panel/unit.ts';
import type { TargetRoot } from '../restore/target.ts';

/** Nobody but root looks into what was restored aside before its owners and modes are set. */
const PRIVATE = 0o700;
const ACCOUNT_MODE = 0o755;

/** Where a restore writes. */
export interface RestoreTarget {
  /** For people: the folder, of a mounted account its `fst`. */
  readonly description: ByteString;
  readonly roots: readonly TargetRoot[];
  readonly upperRoots: readonly TargetRoot[];
  close(): void;
}

function bytes(path: ByteString): Buffer {
  return Buffer.from(path, 'latin1');
}

/** Where `path` would really be: links in what exists of it are resolved. */
function realPath(path: ByteString): ByteString {
  try {
    return realpathSync(bytes(path), { encoding: 'latin1' });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw asFailure(error);
    return join(realPath(dirname(path)), path.slice(path.lastIndexOf('/') + 1));
  }
}

function isInside(path: ByteString, folder: ByteString): boolean {
  return path === folder || path.startsWith(folder + sep);
}

/** Throws `usage` for a folder that a restore must not fill. */
function checkFolder(path: ByteString, settings: Settings): ByteString {
  if (!isAbsolute(path)) throw new Failure('usage', 'the folder to restore to must be an absolute path', { affected: [path] });
  const real = realPath(path.replace(/\/+$/, '') || '/');
  if (real === '/') throw new Failure('usage', 'a restore to the root of the file system is refused', { affected: [path] });
  for (const own of [settings.repository, settings.stateDirectory]) {
    if (isInside(real, realPath(pathBytes(own)))) {
      throw new Failure('usage', `${own} belongs to this program and cannot be restored to`, { affected: [path] });
    }
  }
  return real;
}

/** An open directory in which nothing is and nothing can be made, for a dry run over what does not exist. */
export function openNothing(): number {
  const path = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
  try {
    return openTrustedDirectory(pathBytes(path));
  } finally {
    rmdirSync(path);
  }
}

/** Opens a folder; `made` says that it has been made if it was missing. */
function openDirectory(path: ByteString, made: boolean): number {
  try {
    return openTrustedDirectory(path);
  } catch (error) {
    if (!made && errorCode(error) === 'ENOENT') return openNothing();
    throw asFailure(error);
  }
}

function makeDirectory(path: ByteString, mode: number, recursive: boolean): void {
  try {
    mkdirSync(bytes(path), { recursive, mode });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw asFailure(error);
  }
}

function opened(description: ByteString, roots: readonly TargetRoot[], upperRoots: readonly TargetRoot[] = []): RestoreTarget {
  const close = () => {
    for (const { descriptor } of roots) closeSync(descriptor);
  };
  return { description, roots, upperRoots, close };
}

/** A folder that the administrator named, made when it is missing. Without `make`, for a dry run, a missing one is an empty one. */
export function openFolderTarget(path: ByteString, settings: Settings, make: boolean): RestoreTarget {
  const real = checkFolder(path, settings);
  if (make) makeDirectory(real, PRIVATE, true);
  return opened(real, [{ at: '', descriptor: openDirectory(real, make), crossMounts: false, overlay: false }]);
}

/** The place where a unit was, with `make` as above: for a mounted account `shadow` is reached through its `fst`. */
export function openOriginalTarget(unit: string, settings: Settings, make: boolean): RestoreTarget {
  if (unit === 'system') {
    const root = pathBytes(settings.systemRoot);
    return opened(root, [{ at: '', descriptor: openDirectory(root, true), crossMounts: true, overlay: false }]);
  }
  const folder = pathBytes(join(settings.accountsRoot, unit));
  if (make) makeDirectory(folder, ACCOUNT_MODE, false);
  const live = liveTree(settings.accountsRoot, unit);
  const account: TargetRoot = { at: '', descriptor: openDirectory(folder, make), crossMounts: false, overlay: false };
  if (live === undefined) return opened(folder, [account]);
  const mounted: TargetRoot = { at: 'shadow', descriptor: openDirectory(live, true), crossMounts: false, overlay: true };
  return opened(live, [account, mounted], [account]);
}
