import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { closeDescriptor, openAt, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { findMerged } from '../../manifest/merged-entries.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import type { Repository } from '../../repository/repository.ts';
import { UnitTimeline } from '../moment.ts';
import { OpenRuns } from '../reading/open-runs.ts';

/** The panel writes it when it makes or changes an account; its second name stands in older documents. */
const SERVICE_FILES: readonly (readonly ByteString[])[] = [
  ['info', 'current', 'siteinfo'],
  ['info', 'cur', 'siteinfo'],
];
const LARGEST = 64 * 1024;
const OTHERS_MAY_WRITE = 0o022;
const ROOT = 0;

/**
 * Why an account in a new folder need not be the customer's whose backups `earlier` holds, in words; undefined when it is. It is when the
 * panel's own file about the account is the very one of the last backup: the same bytes, written in the same nanosecond. A copy that keeps times
 * has that, an account that was made anew has not, whatever its name, domain and administrator are. Only root can make it so.
 */
export async function doubtAbout(subject: PanelUnit, earlier: UnitIdentity, repository: Repository): Promise<string | undefined> {
  const { folder } = subject;
  if (folder === undefined) return 'it has no folder';
  for (const names of SERVICE_FILES) {
    const path = names.join('/');
    const present = readGuarded(folder, names);
    if (present === undefined) continue;
    if (typeof present === 'string') return present;
    const recorded = await recordedEntry(path, earlier, repository);
    if (recorded === undefined) return `no backup of ${earlier.unit} has ${path}`;
    const { mtime, content, kind } = recorded;
    if (kind !== 'file' || content === undefined || !content.digest.equals(present.digest))
      return `${path} is another one than in its last backup`;
    return mtime === present.mtime ? undefined : `${path} was written anew since its last backup`;
  }
  return 'the panel’s file info/current/siteinfo is not there';
}

/** A file that root alone can change, a reason when others can, undefined when there is none. */
function readGuarded(folder: ByteString, names: readonly ByteString[]): { digest: Buffer; mtime: bigint } | string | undefined {
  let directory = openTrustedDirectory(folder);
  try {
    for (const name of names.slice(0, -1)) {
      const above = directory;
      directory = openDirectoryAt(above, name);
      closeDescriptor(above);
      if (!isRoots(directory)) return `others than root can change ${name}`;
    }
    const name = names.at(-1) as ByteString;
    const file = openAt(directory, name, O_RDONLY | O_NONBLOCK);
    try {
      const stat = isRoots(file);
      if (stat === undefined || !stat.isFile || stat.size > LARGEST) return `others than root can change ${name}, or it is no such file`;
      const bytes = Buffer.alloc(stat.size);
      const length = readSync(file, bytes, 0, bytes.length, 0);
      return { digest: createHash('sha256').update(bytes.subarray(0, length)).digest(), mtime: stat.mtime };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : `${names.join('/')} cannot be read: ${(error as Error).message}`;
  } finally {
    closeDescriptor(directory);
  }
}

/** What an open file or directory is, when nobody but root can change it. */
function isRoots(descriptor: number): StatBuffer | undefined {
  const stat = new StatBuffer();
  statDescriptor(descriptor, stat);
  return stat.uid === ROOT && (stat.mode & OTHERS_MAY_WRITE) === 0 ? stat : undefined;
}

/** A path in the newest state of a unit; undefined when it has none, or it cannot be read. */
async function recordedEntry(path: ByteString, unit: UnitIdentity, repository: Repository): Promise<Entry | undefined> {
  try {
    const { chain } = await (await UnitTimeline.read(unit, repository)).resolve(undefined, new Date());
    const runs = await OpenRuns.open(chain, repository);
    try {
      const found = findMerged(runs.readers, path);
      return found?.kind === 'file' ? found : undefined;
    } finally {
      runs.close();
    }
  } catch {
    // Whatever is wrong with the earlier backups: nothing shows that they are this customer's.
    return undefined;
  }
}
