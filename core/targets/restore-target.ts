import { chmodSync, closeSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { ownFolders } from '../config/location.ts';
import type { Settings } from '../config/settings.ts';
import type { Reporter } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import { openDirectoryAt, openTrustedDirectory, syncNames } from '../linux/files.ts';
import { mountOf } from '../linux/mounts.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { findAccount } from '../panel/accounts.ts';
import { liveTree } from '../panel/live-mounts.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import type { OverlayLayers } from '../restore/overlay/overlay-layers.ts';
import type { Report } from '../restore/rules.ts';
import { openNamedFolder } from '../restore/target/named-folder.ts';
import type { TargetRoot } from '../restore/target/target.ts';
import { sourceOf } from '../scan/walk/scan-roots.ts';

const ACCOUNT_MODE = 0o755;
const ACCOUNT_ROOTS = ['shadow', 'info'];
/** How the panel mounts one account anew. */
const RELOAD_SITE = '/etc/systemd/user/fsmount.init reload_site';

const stat = new StatBuffer();
const above = new StatBuffer();

/** Where a restore writes. */
export interface RestoreTarget {
  /** For people: the folder, of a mounted account its `fst`. */
  readonly description: ByteString;
  readonly roots: readonly TargetRoot[];
  /** Of a mounted account. */
  readonly layers: OverlayLayers | undefined;
  close(): void;
}

function bytes(path: ByteString): Buffer {
  return Buffer.from(path, 'latin1');
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

function makeDirectory(path: ByteString, mode: number): void {
  try {
    mkdirSync(bytes(path), { mode });
    // Whatever this process leaves out of modes.
    chmodSync(bytes(path), mode);
    syncParent(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw asFailure(error);
  }
}

/** Nothing that is written into a new folder outlives a power failure that takes the folder. */
function syncParent(path: ByteString): void {
  const parent = openTrustedDirectory(`${dirname(path)}/.`);
  try {
    syncNames(parent);
  } finally {
    closeSync(parent);
  }
}

function opened(description: ByteString, roots: readonly TargetRoot[], layers?: OverlayLayers): RestoreTarget {
  const all = new Set([...roots, ...(layers?.upper ?? []), ...(layers?.lower ?? [])]);
  const close = () => {
    for (const { descriptor } of all) closeSync(descriptor);
  };
  return { description, roots, layers, close };
}

/** Which directories belong to this program, by device and inode: a path can have many names. */
function foldersToSpare(settings: Settings): { name: string; dev: bigint; ino: bigint }[] {
  return ownFolders(settings).flatMap((name) => {
    const status = statSync(name, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? [] : [{ name, dev: status.dev, ino: status.ino }];
  });
}

/** The device number as stat(2) has it, from the halves of statx(2). */
function joinDevice(device: bigint): bigint {
  const [major, minor] = [device >> 32n, device & 0xffff_ffffn];
  return ((major & 0xfffn) << 8n) | (minor & 0xffn) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}

/** Tells of what is no problem of an entry, because no entry has been written yet. */
export function asNotice(reporter: Reporter): Report {
  return ({ code, message, path }) => reporter.log({ level: 'warning', code, message, affected: [path] });
}

/**
 * A folder that the administrator named, made when it is missing. Without `make`, for a dry run, a missing one is an empty one. Throws
 * `usage` for one that a restore must not fill, `unsafe_path` for one that others than root may have a hand in.
 */
export function openFolderTarget(path: ByteString, settings: Settings, make: boolean, reporter: Reporter): RestoreTarget {
  if (!isAbsolute(path)) throw new Failure('usage', 'the folder to restore to must be an absolute path', { affected: [path] });
  const own = foldersToSpare(settings);
  const folder = openNamedFolder(path, {
    make,
    check: ({ device, inode }) => {
      const met = own.find(({ dev, ino }) => ino === inode && dev === joinDevice(device));
      if (met === undefined) return;
      throw new Failure('usage', `${met.name} belongs to this program and cannot be restored to`, { affected: [path] });
    },
    followed: (link, target) =>
      reporter.log({ level: 'info', code: 'link_followed', message: `${link} is a link of root to ${target}`, affected: [link] }),
    left: asNotice(reporter),
  });
  const descriptor = folder.descriptor ?? openNothing();
  if (folder.path === '/') {
    closeSync(descriptor);
    throw new Failure('usage', 'a restore to the root of the file system is refused', { affected: [path] });
  }
  return opened(folder.path, [{ at: '', descriptor, crossMounts: false, overlay: false }]);
}

/**
 * The place where a unit was, with `make` as above: for a mounted account `shadow` is reached through its `fst`. What of an account lies on
 * a disk of its own is a root of its own.
 */
export function openOriginalTarget(unit: string, settings: Settings, make: boolean): RestoreTarget {
  if (unit === 'system') {
    const root = pathBytes(settings.systemRoot);
    return opened(root, [{ at: '', descriptor: openDirectory(root, true), crossMounts: true, overlay: false }]);
  }
  const place = findAccount(settings.accountsRoot, unit);
  const folder = place?.folder ?? pathBytes(join(settings.accountsRoot, unit));
  if (make) makeDirectory(folder, ACCOUNT_MODE);
  const live = liveTree(settings.accountsRoot, unit);
  const account: TargetRoot = { at: '', descriptor: openDirectory(folder, make), crossMounts: false, overlay: false };
  const roots = [account, ...ACCOUNT_ROOTS.flatMap((at) => rootOfItsOwn(account.descriptor, at, place))];
  if (live === undefined) return opened(folder, roots);
  const mounted: TargetRoot = { at: 'shadow', descriptor: openDirectory(live.path, true), crossMounts: false, overlay: true };
  const lower = live.lower?.map((layer): TargetRoot => {
    return { at: 'shadow', descriptor: openDirectory(layer, false), crossMounts: false, overlay: false };
  });
  const undo = { shadow: `${folder}/shadow`, reload: `${RELOAD_SITE} ${unit}` };
  return opened(live.path, [...roots.filter(({ at }) => at !== 'shadow'), mounted], { upper: roots, lower, undo });
}

/**
 * A root of an account that is mounted there, or a subvolume, or where root's link leads: entries cannot be renamed into it from beside it.
 */
function rootOfItsOwn(account: number, at: ByteString, place: PanelUnit | undefined): TargetRoot[] {
  if (!statAt(account, at, stat)) return [];
  if (stat.kind === 'symlink') {
    const root = place?.roots.find(({ path }) => path === at);
    if (root === undefined) return [];
    return [{ at, descriptor: openTrustedDirectory(sourceOf(root)), crossMounts: false, overlay: false }];
  }
  if (!stat.isDirectory) return [];
  const descriptor = openDirectoryAt(account, at);
  statDescriptor(descriptor, stat);
  statDescriptor(account, above);
  if (stat.device !== above.device || mountOf(descriptor, stat) !== mountOf(account, above)) {
    return [{ at, descriptor, crossMounts: false, overlay: false }];
  }
  closeSync(descriptor);
  return [];
}
