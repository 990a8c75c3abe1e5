import type { Settings } from '../../config/settings.ts';
import { Failure } from '../../failure.ts';
import type { PanelUnit } from '../../panel/unit.ts';
import { findLivingUnit, listUnits } from '../../panel/units.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import { snapshotsFolder } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';

/** What a run is about. */
export interface RunUnits {
  readonly living: readonly PanelUnit[];
  /** Accounts that have backups and are not on the server any more, though nobody said that they are gone. */
  readonly vanished: readonly UnitIdentity[];
}

/** The units of the server, or those that are named. Throws `unit_unknown` for a name that means nothing here and never did. */
export async function unitsOfRun(wanted: readonly string[], repository: Repository, settings: Settings): Promise<RunUnits> {
  if (wanted.length === 0) {
    const all = listUnits(settings);
    return { living: await withoutGoneGhosts(all, repository), vanished: await vanishedUnits(all, repository) };
  }
  const living: PanelUnit[] = [];
  const vanished: UnitIdentity[] = [];
  for (const name of wanted) {
    const unit = findLivingUnit(settings, name);
    const earlier = unit === undefined ? (await repository.units.named(name)).at(-1) : undefined;
    if (unit !== undefined) living.push(unit);
    else if (earlier !== undefined && (await isAwaited(earlier, repository))) vanished.push(earlier);
    else throw new Failure('unit_unknown', `there is no account ${name} on this server`, { affected: [name] });
  }
  return { living, vanished };
}

/** Without the folders that a deleted account left, when it is said that it is gone. */
async function withoutGoneGhosts(all: readonly PanelUnit[], repository: Repository): Promise<PanelUnit[]> {
  const units: PanelUnit[] = [];
  for (const unit of all) {
    const last = unit.roots.length === 0 ? (await repository.units.named(unit.name)).at(-1) : undefined;
    if (last === undefined || !repository.units.isGone(last)) units.push(unit);
  }
  return units;
}

async function vanishedUnits(all: readonly PanelUnit[], repository: Repository): Promise<UnitIdentity[]> {
  const names = new Set(all.map(({ name }) => name));
  const newest = new Map((await repository.units.known()).map((unit) => [unit.name, unit]));
  const vanished: UnitIdentity[] = [];
  for (const unit of newest.values()) {
    if (!names.has(unit.name) && (await isAwaited(unit, repository))) vanished.push(unit);
  }
  return vanished;
}

/** Whether a unit has backups, and nobody said that it is gone. */
async function isAwaited(unit: UnitIdentity, repository: Repository): Promise<boolean> {
  if (repository.units.isGone(unit)) return false;
  for await (const _ of repository.listObjects(`${snapshotsFolder(unit.unit)}/`)) return true;
  return false;
}
