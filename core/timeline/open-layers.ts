import type { DeviceNumbers } from '../manifest/device-numbers.ts';
import { ManifestReader } from '../manifest/read/manifest-reader.ts';
import { closeEach, openEach, type RandomAccess } from '../manifest/read/random-access.ts';
import { ManifestCache } from '../repository/manifest-cache.ts';
import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';

/** The opened manifests of several snapshots, in their order. Of each its index is read, and then the blocks that are asked for. */
export class OpenLayers {
  readonly readers: readonly ManifestReader[];
  readonly #sources: readonly RandomAccess[];

  private constructor(readers: readonly ManifestReader[], sources: readonly RandomAccess[]) {
    this.readers = readers;
    this.#sources = sources;
  }

  /**
   * With `devices` rows have the numbers of today. Throws `repository_damaged` when a manifest is missing or not the recorded one,
   * `identity_missing`, `identity_wrong`.
   */
  static async open(records: readonly SnapshotRecord[], repository: Repository, devices?: DeviceNumbers): Promise<OpenLayers> {
    await repository.keys.requireReadable(records.map(({ manifest }) => manifest));
    const cache = new ManifestCache(repository);
    const sources = await openEach(records, (record) => cache.openForReading(record));
    try {
      const readers = ManifestReader.openAll(
        sources.map((source, index) => ({ source, expect: plainManifest((records[index] as SnapshotRecord).manifest) })),
        { devices },
      );
      return new OpenLayers(readers, sources);
    } catch (error) {
      closeEach(sources);
      throw error;
    }
  }

  close(): void {
    closeEach(this.#sources);
  }
}
