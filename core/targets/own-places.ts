import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownFolders, parseLocation } from '../config/location.ts';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { type Mount, readMounts } from '../linux/mounts.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import { sourceOf } from '../scan/walk/scan-roots.ts';

/** A folder of this program, and every directory that it lies in. */
interface OwnPlace {
  readonly name: string;
  /** Device and inode of itself and of all above it, under each name that a bind mount gives it. */
  readonly above: ReadonlySet<string>;
}

type Places = Pick<Settings, 'repository' | 'stateDirectory' | 'copies'>;

/**
 * Throws `invalid_settings` when the repository, a copy or the state directory lies in what is backed up: each backup would take the ones before
 * along, and a restore could delete them. Directories are compared by device and inode, whatever links and mounts lead there.
 */
export function refuseOwnPlaces(units: readonly PanelUnit[], settings: Places): void {
  const places = ownPlaces(settings);
  for (const { name: unit, roots } of units) {
    for (const root of roots) {
      const met = places.find(({ above }) => isAbove(sourceOf(root), above));
      if (met === undefined) continue;
      throw new Failure('invalid_settings', `${met.name} lies in ${root.path} of ${unit}, which is backed up`, {
        affected: [met.name],
        advice: 'Move it to a place outside the accounts, and set `repository`, `copies` or `stateDirectory`.',
      });
    }
  }
}

/** Throws `usage` when one of the folders, in which a restore is about to delete, holds the repository, a copy or the state directory. */
export function refuseDeletionAround(folders: readonly ByteString[], settings: Places): void {
  const places = ownPlaces(settings);
  for (const folder of folders) {
    const met = places.find(({ above }) => isAbove(folder, above));
    if (met === undefined) continue;
    throw new Failure('usage', `${met.name} lies in what would be restored with deletion`, {
      affected: [met.name],
      advice: 'Restore without --delete, or move it elsewhere first.',
    });
  }
}

/** Throws `invalid_settings` when a copy is in the folder of the repository or that in its own, by whatever names: they would be lost together. */
export function refuseSharedPlace(copy: string, repository: string): void {
  if ([copy, repository].some((place) => parseLocation(place).kind !== 'directory')) return;
  const mounts = readMounts();
  const holds = (place: string, other: string): boolean => isAbove(pathBytes(place), ownPlace(other, mounts).above);
  if (!holds(copy, repository) && !holds(repository, copy)) return;
  throw new Failure('invalid_settings', `${copy} and the repository ${repository} are one folder, or one is inside of the other`, {
    affected: [copy],
    advice: 'Name another place for the copy in `copies`: they would be lost together.',
  });
}

function identityOf(path: ByteString): string | undefined {
  try {
    const { dev, ino } = statSync(Buffer.from(path, 'latin1'), { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

function isAbove(folder: ByteString, above: ReadonlySet<string>): boolean {
  const identity = identityOf(folder);
  return identity !== undefined && above.has(identity);
}

function ownPlaces(settings: Places): OwnPlace[] {
  const mounts = readMounts();
  return ownFolders(settings).map((name) => ownPlace(name, mounts));
}

function ownPlace(name: string, mounts: readonly Mount[]): OwnPlace {
  const path = existing(pathBytes(name));
  const names = [path, ...otherNames(path, mounts)];
  return { name, above: new Set(names.flatMap(upwards).flatMap((each) => identityOf(each) ?? [])) };
}

/** The real path of what exists of a path. */
function existing(path: ByteString): ByteString {
  try {
    return realpathSync(Buffer.from(path, 'latin1'), { encoding: 'latin1' });
  } catch (error) {
    if (path === '/' || errorCode(error) === undefined) throw error;
    return existing(dirname(path));
  }
}

function upwards(path: ByteString): ByteString[] {
  return path === '/' ? ['/'] : [path, ...upwards(dirname(path))];
}

/** Where else a directory is seen, because a folder of its file system is mounted in several places. */
function otherNames(path: ByteString, mounts: readonly Mount[]): ByteString[] {
  const on = mounts
    .filter(({ mountPoint }) => isBelow(path, mountPoint))
    .sort((a, b) => a.mountPoint.length - b.mountPoint.length)
    .at(-1);
  if (on === undefined) return [];
  const inside = join(on.root, path.slice(on.mountPoint === '/' ? 0 : on.mountPoint.length));
  return mounts
    .filter(({ device, root }) => device === on.device && isBelow(inside, root))
    .map(({ mountPoint, root }) => join(mountPoint, inside.slice(root === '/' ? 0 : root.length)));
}

function isBelow(path: ByteString, folder: ByteString): boolean {
  return folder === '/' || isWithin(path, folder);
}
