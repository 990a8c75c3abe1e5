import { asFailure, Failure } from '../failure.ts';
import type { DeviceNumbers } from '../manifest/device-numbers.ts';
import { ManifestReader, type ReadingOptions } from '../manifest/read/manifest-reader.ts';
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

  /**
   * Those of the snapshots whose manifests can be had, and by their ids why the others cannot. What is wrong inside of one goes to `onLost` and is
   * passed over.
   */
  static async openUsable(
    records: readonly SnapshotRecord[],
    repository: Repository,
    onLost: ReadingOptions['onLost'],
  ): Promise<{
    readonly byId: ReadonlyMap<string, ManifestReader>;
    readonly left: ReadonlyMap<string, Failure>;
    readonly close: () => void;
  }> {
    const cache = new ManifestCache(repository);
    const left = new Map<string, Failure>();
    const opened: { readonly record: SnapshotRecord; readonly source: RandomAccess }[] = [];
    const close = (): void => closeEach(opened.map(({ source }) => source));
    try {
      for (const record of records) {
        try {
          await repository.keys.requireReadable([record.manifest]);
          opened.push({ record, source: await cache.openForReading(record) });
        } catch (error) {
          left.set(record.id, usableWithout(error));
        }
      }
      const readers = ManifestReader.openEach(
        opened.map(({ record, source }) => ({ source, expect: plainManifest(record.manifest) })),
        onLost === undefined ? {} : { onLost },
      );
      const byId = new Map<string, ManifestReader>();
      for (const [at, reader] of readers.entries()) {
        const { id } = (opened[at] as (typeof opened)[number]).record;
        if (reader instanceof Failure) left.set(id, reader);
        else byId.set(id, reader);
      }
      return { byId, left, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  close(): void {
    closeEach(this.#sources);
  }
}

/** What keeps one manifest from being read, and no other. */
const OF_ONE: ReadonlySet<string> = new Set(['repository_damaged', 'repository_newer', 'identity_missing', 'identity_wrong']);

function usableWithout(error: unknown): Failure {
  const failure = asFailure(error);
  if (!OF_ONE.has(failure.code)) throw error;
  return failure;
}
