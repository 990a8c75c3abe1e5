import { ChainIndex } from '../chain/chain-index.ts';
import { asFailure, Failure } from '../failure.ts';
import { unitFolder } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { chainSnapshots } from '../timeline/chain-snapshots.ts';

/**
 * What stands in the way of restoring each of a unit's snapshots, by its id: a member of its chain, a manifest or a pack that is missing
 * or cut. One listing tells; what is in the objects, only `verify` does.
 */
export async function findObstacles(
  unit: string,
  records: readonly SnapshotRecord[],
  repository: Repository,
): Promise<ReadonlyMap<string, string>> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of repository.listObjects(`${unitFolder(unit)}/`)) sizes.set(name, size);
  const snapshots = chainSnapshots(records, repository);
  const chains = new ChainIndex(snapshots);
  /** Of each snapshot looked at, the member of its chain that is the obstacle; undefined when none is. */
  const culprits = new Map<string, string | undefined>();
  const problems = new Map<string, string>();
  for (const { id, record } of snapshots) {
    const lost = [record.manifest, ...record.packs].find(({ path, length }) => sizes.get(path) !== length);
    const isBroken = record.level !== 'full' && chains.below(id) === undefined;
    if (lost !== undefined) problems.set(id, `${lost.path} is ${sizes.has(lost.path) ? 'cut' : 'missing'}`);
    else if (isBroken) problems.set(id, problemOf(id, chains));
    if (problems.has(id)) culprits.set(id, id);
  }
  const obstacles = new Map<string, string>();
  for (const { id } of snapshots) {
    // Down to the next of which it is known, and all on the way are as that one.
    const way = new Set<string>();
    let at: string | undefined = id;
    for (; at !== undefined && !culprits.has(at) && !way.has(at); at = chains.below(at)?.id) way.add(at);
    const culprit = at === undefined ? undefined : culprits.get(at);
    for (const above of way) culprits.set(above, culprit);
    const found = culprits.get(id);
    if (found === undefined) continue;
    const problem = problems.get(found);
    if (problem === undefined) throw new Failure('internal', `nothing is wrong with ${found}`);
    obstacles.set(id, found === id ? problem : `it needs ${found}, and ${problem}`);
  }
  return obstacles;
}

function problemOf(id: string, chains: ChainIndex<ReturnType<typeof chainSnapshots>[number]>): string {
  try {
    chains.select(id);
  } catch (error) {
    return asFailure(error).message;
  }
  return 'its chain is broken';
}
