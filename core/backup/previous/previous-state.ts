import type { DeviceNumbers } from '../../manifest/device-numbers.ts';
import { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { closeEach, openEach, type RandomAccess } from '../../manifest/read/random-access.ts';
import type { ManifestCache } from '../../repository/manifest-cache.ts';
import { plainManifest, type SnapshotRecord } from '../../repository/record.ts';

/** The point in time that a backup compares with, as local, verified copies of its chain's manifests. */
export class PreviousState {
  /** The oldest first: the full, the differential, the incrementals. */
  readonly chain: readonly SnapshotRecord[];
  readonly readers: readonly ManifestReader[];
  readonly #sources: readonly RandomAccess[];

  private constructor(chain: readonly SnapshotRecord[], sources: readonly RandomAccess[]) {
    this.chain = chain;
    this.#sources = sources;
    this.readers = this.#read(undefined);
  }

  /** The same manifests with the numbers that devices have now. */
  readersToday(devices: DeviceNumbers): readonly ManifestReader[] {
    return devices.isIdentity ? this.readers : this.#read(devices);
  }

  #read(devices: DeviceNumbers | undefined): ManifestReader[] {
    const manifests = this.#sources.map((source, index) => ({
      source,
      expect: plainManifest((this.chain[index] as SnapshotRecord).manifest),
    }));
    return ManifestReader.openAll(manifests, { devices });
  }

  /** Throws `repository_damaged` when a manifest is neither here nor, intact, in the repository. */
  static async open(chain: readonly SnapshotRecord[], cache: ManifestCache): Promise<PreviousState> {
    const sources = await openEach(chain, (record) => cache.open(record));
    try {
      return new PreviousState(chain, sources);
    } catch (error) {
      closeEach(sources);
      throw error;
    }
  }

  close(): void {
    closeEach(this.#sources);
  }
}
