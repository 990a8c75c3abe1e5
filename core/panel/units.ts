import { Failure } from '../failure.ts';
import { findAccount, listAccounts } from './accounts.ts';
import { systemUnit } from './system-locations.ts';
import type { PanelPlaces, PanelUnit } from './unit.ts';

/** Everything that a server backs up: its accounts by number, then `system`. */
export function listUnits(places: PanelPlaces): PanelUnit[] {
  return [...listAccounts(places.accountsRoot), systemUnit(places.systemRoot)];
}

/** The unit of this name that lives on the server now; undefined when there is none. */
export function findLivingUnit(places: PanelPlaces, name: string): PanelUnit | undefined {
  return name === 'system' ? systemUnit(places.systemRoot) : findAccount(places.accountsRoot, name);
}

/** The same, but throws `unit_unknown` when there is none. */
export function requireLivingUnit(places: PanelPlaces, name: string): PanelUnit {
  const unit = findLivingUnit(places, name);
  if (unit === undefined) throw new Failure('unit_unknown', `there is no account ${name} on this server`, { affected: [name] });
  return unit;
}
