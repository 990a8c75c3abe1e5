import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { exclusionOf, type LeftOutRules } from '../exclude/exclude-rules.ts';
import { asFailure, Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { ACCOUNT_EXCLUSIONS } from '../panel/always-excluded.ts';
import { type PanelUnit, pathBytes } from '../panel/unit.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { ExcludedThen, SnapshotRecord } from '../repository/record.ts';

/** Everything: a restore then deletes nothing. */
export const ALL_LEFT_OUT: readonly ByteString[] = ['*'];

/** What a unit's backup leaves out: always, and by the setting `exclude`. `unit` is undefined when it no longer lives here. */
export function leftOutOf(unit: Pick<PanelUnit, 'excluded'> | undefined, { exclude }: Pick<Settings, 'exclude'>): LeftOutRules {
  return { paths: unit?.excluded ?? ACCOUNT_EXCLUSIONS, patterns: exclude.map(pathBytes) };
}

/** Such rules as a snapshot's record keeps them. */
export function excludedThen({ paths, patterns }: LeftOutRules): ExcludedThen {
  const text = (bytes: ByteString) => Buffer.from(bytes, 'latin1').toString('utf8');
  return { paths: paths.map(text), patterns: patterns.map(text) };
}

/** And as a restore asks them; none of a record that does not have them. */
export function leftOutThen({ excluded }: Pick<SnapshotRecord, 'excluded'>): LeftOutRules | undefined {
  return excluded === undefined ? undefined : { paths: excluded.paths.map(pathBytes), patterns: excluded.patterns.map(pathBytes) };
}

/** Throws `invalid_settings` for a pattern of the setting that cannot be understood, naming it as it stands there. */
export function requireUsablePatterns({ exclude }: Pick<Settings, 'exclude'>): void {
  for (const pattern of exclude) {
    try {
      exclusionOf({ paths: [], patterns: [pathBytes(pattern)] });
    } catch (error) {
      throw new Failure('invalid_settings', `the setting exclude has ${JSON.stringify(pattern)}: ${asFailure(error).message}`, {
        affected: [pattern],
        advice: 'Patterns look like cache/, *.tmp or /shadow/var/www/*/tmp.',
        cause: error,
      });
    }
  }
}

/** What is left out of the backups of the unit of this name. */
export function leftOutOfUnit(name: string, settings: Settings): LeftOutRules {
  return leftOutOf(findLivingUnit(settings, name), settings);
}

/**
 * The rules, or, where the patterns of the settings cannot be understood, others with `instead` in the place of the patterns: what
 * reads or gives back is not stopped by what only a backup needs. `consequence` says what follows from that.
 */
export function usableRules(
  rules: LeftOutRules,
  instead: readonly ByteString[],
  consequence: string,
  { reporter, unusable }: Pick<Context, 'reporter' | 'unusable'>,
): LeftOutRules {
  try {
    const wrong = unusable?.get('exclude');
    if (wrong !== undefined) throw new Failure('invalid_settings', wrong, { affected: ['exclude'] });
    exclusionOf(rules);
    return rules;
  } catch (error) {
    const { code, message, affected } = asFailure(error);
    reporter.log({ level: 'warning', code, message: `${message}; ${consequence}`, affected });
    return { ...rules, patterns: instead };
  }
}
