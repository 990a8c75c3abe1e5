import { asFailure, Failure } from '../failure.ts';
import { recoveryFolder } from '../repository/layout.ts';
import { isWholeRecovery, readRecoveryAt } from '../repository/recovery/heal.ts';
import type { Repository } from '../repository/repository.ts';
import type { DamageList } from './damage-list.ts';

/** Looks at the recovery data of a unit: that its heads can be used and, with `isThorough`, at all of it. No snapshot suffers from what is wrong here. */
export async function checkRecovery(repository: Repository, unit: string, damages: DamageList, isThorough: boolean): Promise<void> {
  for await (const { name: place } of repository.listObjects(`${recoveryFolder(unit)}/`)) {
    const name = repository.nameOf(place);
    try {
      const recovery = await readRecoveryAt(repository, place);
      // A prune may have removed it since it was listed.
      if (recovery === undefined) continue;
      if (recovery.isSound && (!isThorough || (await isWholeRecovery(repository, place, recovery.head)))) continue;
      throw new Failure('repository_damaged', `${name} is damaged; \`repair\` makes it anew`, { affected: [name] });
    } catch (error) {
      const { code } = asFailure(error);
      if (code === 'cancelled' || code === 'internal') throw error;
      damages.add(name, error, []);
    }
  }
}
