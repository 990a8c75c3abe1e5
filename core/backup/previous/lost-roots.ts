import { ChainIndex, chainMembers } from '../../chain/chain-index.ts';
import { newest } from '../../chain/snapshot.ts';
import { Failure } from '../../failure.ts';
import { readNames } from '../../linux/directories.ts';
import { closeDescriptor, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { endOfTree, findMerged, mergedEntries } from '../../manifest/merge/merged-entries.ts';
import { isLasting } from '../../panel/system-locations.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import { ManifestCache } from '../../repository/manifest-cache.ts';
import type { RecordedRoot, SnapshotRecord } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';
import { entryOfRoot, type ScanRoot } from '../../scan/walk/scan-roots.ts';
import type { RecordedSnapshot } from '../../timeline/chain-snapshots.ts';
import { PreviousState } from './previous-state.ts';
import type { UnitDevices } from './unit-devices.ts';

/** What is told of a unit of which something is missing that was backed up before. */
export function rootMissing(unit: string, reasons: readonly string[]): Failure {
  return new Failure('root_missing', `${unit} was backed up before, and now ${reasons.join('; ')}`, {
    affected: [unit],
    advice: `Mount it, or bring it back; its last backup stays the newest. If it is meant to be gone: \`apiscp-backup forget ${unit}\`.`,
  });
}

/** What is told of an account of which only its folder is left, or a link that leads nowhere. */
export function withoutRoots({ name, missing }: PanelUnit): Failure {
  return new Failure(
    'root_missing',
    `${name} has nothing to back up: ${missing.map(({ path, reason }) => `${path} ${reason}`).join('; ')}`,
    {
      affected: [name],
      advice: `Bring it back. If it is meant to be gone: \`apiscp-backup forget ${name}\`, or remove what is left of it.`,
    },
  );
}

/**
 * What the last snapshot has and is not there now, in words: roots that are gone; that lay on a file system of their own which is not
 * mounted; or that are empty and another directory than then. `history` is all that the unit has.
 */
export async function lostRoots(
  subject: PanelUnit,
  { roots }: UnitDevices,
  history: readonly RecordedSnapshot[],
  repository: Repository,
): Promise<string[]> {
  const last = newest(history)?.record;
  if (last === undefined) return [];
  const isSystem = subject.folder === undefined;
  if (isSystem && subject.roots.length === 0 && last.roots.length > 0) return ['nothing of it is there'];
  const lost: string[] = [];
  for (const then of last.roots) {
    const root = subject.roots.find(({ path }) => path === then.name);
    // Of the server's locations single ones come and go; `vanishedLocations` tells of them.
    if (root === undefined && isSystem) continue;
    if (root === undefined) {
      lost.push(`${then.name} ${subject.missing.find(({ path }) => path === then.name)?.reason ?? 'is not there'}`);
      continue;
    }
    const now = roots.find(({ name }) => name === then.name);
    if (then.mounted === true && now?.mounted !== true && now?.fileSystem !== then.fileSystem) {
      lost.push(`the file system of ${then.name} is not mounted`);
    } else if (
      isEmpty(root) &&
      !isBornThen(then, now) &&
      (await isAnother(root, chainOf(history), repository, isSameFileSystem(then, now)))
    ) {
      lost.push(`${then.name} is empty, and another directory than before`);
    }
  }
  return lost;
}

/**
 * The lasting locations of the server that the last snapshot has and that are not there: one may have been deleted on purpose, so it is no
 * failure.
 */
export function vanishedLocations(subject: PanelUnit, last: SnapshotRecord | undefined): ByteString[] {
  if (subject.folder !== undefined || last === undefined) return [];
  const names = last.roots.map(({ name }) => name);
  return names.filter((name) => isLasting(name) && !subject.roots.some(({ path }) => path === name));
}

/** What the last state consists of; nothing when it cannot be put together. */
function chainOf(history: readonly RecordedSnapshot[]): SnapshotRecord[] {
  const index = new ChainIndex(history);
  const latest = newest(history);
  if (latest === undefined || !index.isComplete(latest.id)) return [];
  return chainMembers(index.select(latest.id)).map(({ record }) => record);
}

/** Whether a directory is certainly the one of then. */
function isBornThen(then: RecordedRoot, now: RecordedRoot | undefined): boolean {
  return then.born !== undefined && then.born === now?.born && isSameFileSystem(then, now);
}

function isSameFileSystem(then: RecordedRoot, now: RecordedRoot | undefined): boolean {
  return then.fileSystem === undefined || then.fileSystem === now?.fileSystem;
}

function inDirectory<T>(root: ScanRoot, action: (descriptor: number) => T): T {
  const parent = openTrustedDirectory(root.parent);
  try {
    const descriptor = openDirectoryAt(parent, entryOfRoot(root));
    try {
      return action(descriptor);
    } finally {
      closeDescriptor(descriptor);
    }
  } finally {
    closeDescriptor(parent);
  }
}

function isEmpty(root: ScanRoot): boolean {
  try {
    return inDirectory(root, (descriptor) => readNames(descriptor).length === 0);
  } catch (error) {
    // A location of the server may be a file or a link.
    if (errorCode(error) === 'ENOTDIR' || errorCode(error) === 'ELOOP') return false;
    throw error;
  }
}

async function isAnother(root: ScanRoot, chain: readonly SnapshotRecord[], repository: Repository, isSame: boolean): Promise<boolean> {
  const stat = new StatBuffer();
  inDirectory(root, (descriptor) => statDescriptor(descriptor, stat));
  try {
    // The copies in the state: a server that only writes cannot read the repository.
    const layers = await PreviousState.open(chain, new ManifestCache(repository));
    try {
      const then = findMerged(layers.readers, root.path);
      if (then === undefined || (isSame && then.inode === stat.inode)) return false;
      for (const { entry } of mergedEntries(layers.readers, root.path, endOfTree(root.path))) if (entry.path !== root.path) return true;
      return false;
    } finally {
      layers.close();
    }
  } catch (error) {
    // Nobody knows what was there: in doubt it is missed.
    if (error instanceof Failure && error.code === 'repository_damaged') return true;
    throw error;
  }
}

/** Which directories the roots are, to see afterwards whether they still are. */
export function rootIdentities(roots: readonly ScanRoot[]): string[] {
  const stat = new StatBuffer();
  return roots.map((root) => {
    const parent = openTrustedDirectory(root.parent);
    try {
      return statAt(parent, entryOfRoot(root), stat) ? `${stat.device}:${stat.inode}` : '';
    } finally {
      closeDescriptor(parent);
    }
  });
}
