import { asFailure, Failure } from '../failure.ts';
import type { RandomAccess } from '../manifest/read/random-access.ts';
import { ManifestCache } from '../repository/manifest-cache.ts';
import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { ChainManifest, OpenFile } from '../restore/plan/manifest-files.ts';

/** The opened manifests of a chain, as a restore takes them: one that cannot be had does not keep the others from being read. */
export class ChainManifests {
  readonly all: ChainManifest[] = [];
  readonly #opened: RandomAccess[] = [];
  /** To be told that the copy of a manifest, by its place in the chain, was needed, and why. */
  readonly onSpare = (index: number, failure: Failure): void => this.#used[index]?.(failure);
  readonly #used: (((failure: Failure) => void) | undefined)[] = [];

  async open(chain: readonly SnapshotRecord[], repository: Repository): Promise<void> {
    const cache = new ManifestCache(repository);
    for (const record of chain) {
      try {
        const access = await cache.openForReading(record);
        this.#opened.push(access);
        const { spare } = access;
        this.#used[this.all.length] = spare?.used;
        this.all.push({
          ...fileOf(access),
          expected: plainManifest(record.manifest),
          ...(spare === undefined ? {} : { spare: fileOf(spare.access) }),
        });
      } catch (error) {
        const { code, message } = asFailure(error);
        if (code === 'internal' || code === 'identity_missing' || code === 'identity_wrong') throw error;
        this.all.push({ missing: { code, message } });
      }
    }
  }

  close(): void {
    for (const access of this.#opened.splice(0)) access.close();
  }
}

function fileOf(access: RandomAccess): OpenFile {
  const { descriptor, size, sealed } = access;
  if (descriptor === undefined) throw new Failure('internal', 'a manifest is not in a file');
  return {
    descriptor,
    size,
    ...(sealed === undefined ? {} : { sealed }),
    ...(access.fill === undefined ? {} : { fill: access.fill.bind(access) }),
  };
}
