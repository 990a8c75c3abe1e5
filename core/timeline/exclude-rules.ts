import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { type ExcludeRules, excludeMatcherOf } from '../exclude/exclude-rules.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { ACCOUNT_EXCLUSIONS } from '../panel/always-excluded.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { ExcludedThen, SnapshotRecord } from '../repository/record.ts';

/** Everything: a restore then deletes nothing. */
export const ALL_EXCLUDED: readonly ByteString[] = ['*'];

/** What a unit's backup excludes: always, and by the setting `exclude`. `unit` is undefined when it no longer lives here. */
export function excludeOf(unit: Pick<PanelUnit, 'excluded'> | undefined, { exclude }: Pick<Settings, 'exclude'>): ExcludeRules {
  return { paths: unit?.excluded ?? ACCOUNT_EXCLUSIONS, patterns: exclude.map(pathBytes) };
}

/** Such rules as a snapshot's record keeps them. */
export function excludedThen({ paths, patterns }: ExcludeRules): ExcludedThen {
  const text = (bytes: ByteString) => Buffer.from(bytes, 'latin1').toString('utf8');
  return { paths: paths.map(text), patterns: patterns.map(text) };
}

/** And as a restore asks them; none of a record that does not have them. */
export function excludeThen({ excluded }: Pick<SnapshotRecord, 'excluded'>): ExcludeRules | undefined {
  return excluded === undefined ? undefined : { paths: excluded.paths.map(pathBytes), patterns: excluded.patterns.map(pathBytes) };
}

/** Throws `invalid_settings` for a pattern of the setting that cannot be understood, naming it as it stands there. */
export function requireUsablePatterns({ exclude }: Pick<Settings, 'exclude'>): void {
  for (const pattern of exclude) {
    try {
      excludeMatcherOf({ paths: [], patterns: [pathBytes(pattern)] });
    } catch (error) {
      throw new Failure('invalid_settings', `the setting exclude has ${JSON.stringify(pattern)}: ${asFailure(error).message}`, {
        affected: [pattern],
        advice: 'Patterns look like cache/, *.tmp or /shadow/var/www/*/tmp.',
        cause: error,
      });
    }
  }
}

/** What is excluded of the backups of the unit of this name. */
export function excludeOfUnit(name: string, settings: Settings): ExcludeRules {
  return excludeOf(findLivingUnit(settings, name), settings);
}

/**
 * The rules, or, where the patterns of the settings cannot be understood, others with `instead` in the place of the patterns: what
 * reads or restores is not stopped by what only a backup needs. `consequence` says what follows from that.
 */
export function usableRules(
  rules: ExcludeRules,
  instead: readonly ByteString[],
  consequence: string,
  { reporter, unusable }: Pick<Context, 'reporter' | 'unusable'>,
): ExcludeRules {
  try {
    const wrong = unusable?.get('exclude');
    if (wrong !== undefined) throw new Failure('invalid_settings', wrong, { affected: ['exclude'] });
    excludeMatcherOf(rules);
    return rules;
  } catch (error) {
    const { code, message, affected } = asFailure(error);
    reporter.log({ level: 'warning', code, message: `${message}; ${consequence}`, affected });
    return { ...rules, patterns: instead };
  }
}
