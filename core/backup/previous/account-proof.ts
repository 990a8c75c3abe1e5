import { asFailure } from '../../failure.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { findMerged } from '../../manifest/merge/merged-entries.ts';
import { readServiceFile } from '../../panel/service-file.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import { ManifestCache } from '../../repository/manifest-cache.ts';
import type { Repository } from '../../repository/repository.ts';
import { certain, UnitTimeline } from '../../timeline/point-in-time.ts';
import { PreviousState } from './previous-state.ts';

/**
 * Why an account in a new folder need not be the customer's whose backups `earlier` holds, in words; undefined when it is. It is when the
 * panel's own file about the account is the very one of the last backup: the same bytes, written in the same nanosecond. A copy that keeps
 * times has that, an account that was made anew has not, whatever its name, domain and administrator are. Only root can make it so.
 */
export async function doubtAbout(subject: PanelUnit, earlier: UnitIdentity, repository: Repository): Promise<string | undefined> {
  const { folder } = subject;
  if (folder === undefined) return 'it has no folder';
  const present = readServiceFile(folder);
  if ('reason' in present) return present.reason;
  const { path } = present;
  const recorded = await recordedEntry(path, earlier, repository);
  if (recorded === 'locked') return `this server has no key to read ${path} in its backups`;
  if (recorded === undefined) return `no backup of ${earlier.unit} has ${path}`;
  const { mtime, content, kind } = recorded;
  if (kind !== 'file' || content === undefined || !content.digest.equals(present.digest))
    return `${path} is another one than in its last backup`;
  return mtime === present.mtime ? undefined : `${path} was written anew since its last backup`;
}

/** A path in the newest state of a unit; undefined when it has none, or that is damaged. Throws what may be otherwise another day. */
async function recordedEntry(path: ByteString, unit: UnitIdentity, repository: Repository): Promise<Entry | 'locked' | undefined> {
  try {
    const { chain } = certain(await (await UnitTimeline.read(unit, repository)).resolve(undefined, new Date()));
    const layers = await PreviousState.open(chain, new ManifestCache(repository));
    try {
      const found = findMerged(layers.readers, path);
      return found?.kind === 'file' ? found : undefined;
    } finally {
      layers.close();
    }
  } catch (error) {
    const failure = asFailure(error);
    // In doubt a new unit begins, and that for good.
    if (failure.retry) throw failure;
    if (failure.code === 'identity_missing' || failure.code === 'identity_wrong') return 'locked';
    // Whatever is wrong with the earlier backups: nothing shows that they are this customer's.
    return undefined;
  }
}
