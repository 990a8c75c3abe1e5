import type { Settings } from '../config/settings.ts';
import type { LeftOutRules } from '../manifest/left-out-rules.ts';
import { ACCOUNT_EXCLUSIONS } from '../panel/exclusions.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import { findLivingUnit } from '../panel/units.ts';

/** What a unit's backup leaves out: always, and by the setting `exclude`. `unit` is undefined when it no longer lives here. */
export function leftOutOf(unit: Pick<PanelUnit, 'excluded'> | undefined, { exclude }: Pick<Settings, 'exclude'>): LeftOutRules {
  return { paths: unit?.excluded ?? ACCOUNT_EXCLUSIONS, patterns: exclude.map(pathBytes) };
}

/** The same for the unit of this name. */
export function leftOutOfUnit(name: string, settings: Settings): LeftOutRules {
  return leftOutOf(findLivingUnit(settings, name), settings);
}
