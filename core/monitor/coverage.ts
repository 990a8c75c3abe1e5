import type { Settings } from '../config/settings.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { listUnits } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import type { Repository } from '../repository/repository.ts';

/** A unit as it is on the server, and as it is in the repository. */
export interface CoveredUnit {
  readonly name: string;
  /** Undefined when it is not on the server any more. */
  readonly living: PanelUnit | undefined;
  /** Undefined when it has no backups yet. */
  readonly unit: UnitIdentity | undefined;
}

/**
 * Every account of the server with the unit that its backups are in, and every unit whose account is gone though nobody said so. An account
 * that was made anew has the unit of the account before only when that is known to be the same.
 */
export async function coverage(repository: Repository, settings: Settings): Promise<CoveredUnit[]> {
  const living = listUnits(settings);
  const known = await repository.units.known();
  const byName = Map.groupBy(known, ({ name }) => name);
  const covered = living.map((account): CoveredUnit => {
    const unit = byName.get(account.name)?.findLast((each) => repository.units.livesAs(each, account.incarnation));
    return { name: account.name, living: account, unit };
  });
  const names = new Set(living.map(({ name }) => name));
  const vanished = [...byName]
    .filter(([name]) => !names.has(name))
    .flatMap(([name, units]): CoveredUnit[] => {
      const unit = units.at(-1);
      return unit === undefined || repository.units.isGone(unit) ? [] : [{ name, living: undefined, unit }];
    });
  return [...covered.filter((each) => !isGoneGhost(each, repository)), ...vanished];
}

/** The folder that a deleted account left, when it is said that the account is gone. */
function isGoneGhost({ living, unit }: CoveredUnit, repository: Repository): boolean {
  return living !== undefined && living.roots.length === 0 && unit !== undefined && repository.units.isGone(unit);
}
