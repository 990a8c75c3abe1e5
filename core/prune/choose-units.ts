import { Failure } from '../failure.ts';
import { unitNameOf } from '../repository/ids.ts';
import type { Repository } from '../repository/repository.ts';

/** The ids of the units that a request means: all incarnations of a name, also those whose `unit.json` cannot be used. */
export async function unitsToPrune(names: readonly string[], repository: Repository): Promise<string[]> {
  const all = (await repository.units.ids()).sort();
  if (names.length === 0) return all;
  const chosen = new Set<string>();
  for (const name of names) {
    const found = all.filter((id) => id === name || unitNameOf(id) === name);
    if (found.length === 0) {
      throw new Failure('unit_unknown', `the repository holds no backups of ${name} of this server`, { affected: [name] });
    }
    for (const id of found) chosen.add(id);
  }
  return [...chosen];
}
