import { Failure } from '../failure.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { PackSource } from '../restore/content/pack-cache.ts';

/** Packs by what the records say: one of another length than was stored is not the one that was stored. */
export function chainPacks(chain: readonly SnapshotRecord[], repository: Repository): PackSource {
  const lengths = new Map(chain.flatMap(({ packs }) => packs.map(({ path, length }) => [path, length] as const)));
  return {
    isDistant: repository.backend.isDistant === true,
    open: async (pack) => {
      const size = await repository.objectSize(pack);
      if (size === undefined) return undefined;
      const stored = lengths.get(pack);
      if (stored === undefined) throw new Failure('repository_damaged', 'a pack that no record of the chain names', { affected: [pack] });
      if (size === stored) return repository.openContent(pack, size);
      throw new Failure('repository_damaged', 'a pack has another length than was stored', { affected: [pack] });
    },
  };
}
