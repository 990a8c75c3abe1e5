import type { Settings } from '../config/settings.ts';
import { ExcludePatterns } from '../manifest/exclude-patterns.ts';
import { type Exclusion, excludeAny, excludePaths } from '../manifest/exclusion.ts';
import { ACCOUNT_EXCLUSIONS } from '../panel/exclusions.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { LeftOutRules } from '../restore/left-out.ts';

/** What a unit's backup leaves out: always, and by the setting `exclude`. `unit` is undefined when it no longer lives here. */
export function leftOutOf(unit: Pick<PanelUnit, 'excluded'> | undefined, { exclude }: Pick<Settings, 'exclude'>): LeftOutRules {
  return { paths: unit?.excluded ?? ACCOUNT_EXCLUSIONS, patterns: exclude.map(pathBytes) };
}

/** The same for the unit of this name. */
export function leftOutOfUnit(name: string, settings: Settings): LeftOutRules {
  return leftOutOf(findLivingUnit(settings, name), settings);
}

/** The same as the scan asks for it. Throws `invalid_settings` for a pattern that cannot be understood. */
export function exclusionOf({ paths, patterns }: LeftOutRules): Exclusion {
  return excludeAny([excludePaths(paths), new ExcludePatterns(patterns)]);
}
