import { statSync } from 'node:fs';
import { millisecondsBefore, parseDuration } from '../chain/duration.ts';
import { defaultSettings, SETTINGS_FILE } from '../config/defaults.ts';
import { hasFormOf, PLACES, readSetting, type SettingName, type Settings, writeSetting } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { ExcludePatterns } from '../exclude/exclude-patterns.ts';
import { asFailure, Failure } from '../failure.ts';
import { checkNotifySetting } from '../notify/check-setting.ts';
import { pathBytes } from '../panel/unit.ts';
import { listUnits } from '../panel/units.ts';
import type { SettingsGetRequest, SettingsResult, SettingsSetRequest } from '../schemas/settings.ts';
import { refuseOwnPlaces } from '../targets/own-places.ts';
import { requireUsablePatterns } from '../timeline/exclude-rules.ts';

function settingName(name: string): SettingName {
  const names = Object.keys(defaultSettings());
  if (names.includes(name)) return name as SettingName;
  throw new Failure('usage', `there is no setting ${JSON.stringify(name)}`, { affected: [name], advice: `Settings: ${names.join(', ')}.` });
}

/** Stands for any file of an account. */
const ANY_FILE = 'shadow/any-file';

const leavesSomething = (patterns: readonly string[]): boolean =>
  new ExcludePatterns(patterns.map(pathBytes)).explain(ANY_FILE, false).included;

const PATTERN_ADVICE = { advice: 'Patterns look like cache/, *.tmp or /shadow/var/www/*/tmp.' } as const;

/** Refuses what has the right form and would stop a run all the same. Throws `usage`. */
function checkUse(name: SettingName, value: unknown): void {
  if (name === 'exclude' && Array.isArray(value)) {
    try {
      requireUsablePatterns({ exclude: value.map(String) });
      if (!leavesSomething(value.map(String)))
        throw new Failure('usage', 'these patterns exclude everything of every account', PATTERN_ADVICE);
    } catch (error) {
      const { message, affected, advice } = asFailure(error);
      throw new Failure('usage', message, { affected, ...(advice === undefined ? {} : { advice }), cause: error });
    }
  }
  if (name === 'notify' && hasFormOf(name, value)) checkNotify(value);
  if (name === 'retention' || name === 'schedule') checkTimes(name, value);
  if (name === 'repository' && typeof value === 'string' && statSync(value, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new Failure('usage', `${value} is no folder`, { affected: [value], advice: 'Name a folder, such as /srv/backups.' });
  }
}

function checkNotify(value: Settings['notify']): void {
  try {
    checkNotifySetting(value);
  } catch (error) {
    const { message, affected, advice = 'The settings are as they were.' } = asFailure(error);
    throw new Failure('usage', message, { affected, advice, cause: error });
  }
}

/** Throws for ages beyond the calendar, on which each backup or prune would fail. */
function checkTimes(name: 'retention' | 'schedule', value: unknown): void {
  const now = Temporal.Now.instant();
  const durations = JSON.stringify(value).match(/"[0-9]+ ?[a-z]+"/g) ?? [];
  for (const text of durations.map((quoted) => quoted.slice(1, -1))) {
    try {
      millisecondsBefore(now, parseDuration(text), 'UTC');
    } catch (error) {
      const advice = name === 'retention' ? 'Write how long: 2 months, 10 years.' : 'Write how long: 2 months.';
      throw new Failure('usage', `“${text}” cannot be used: ${asFailure(error).message}`, { affected: [text], advice, cause: error });
    }
  }
}

/** Throws when the program's own folders would lie in what is backed up. A server whose accounts are not there yet has none to look at. */
function checkPlaces(name: SettingName, value: unknown, { settingsFile }: Pick<Context, 'settingsFile'>): void {
  const file = settingsFile ?? SETTINGS_FILE;
  const read = <Name extends SettingName>(other: Name): Settings[Name] =>
    other === name && value !== null && hasFormOf(other, value) ? (value as Settings[Name]) : readSetting(file, other);
  const places = { accountsRoot: read('accountsRoot'), systemRoot: read('systemRoot') };
  const exists = Object.values(places).every((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true);
  if (!exists) return;
  refuseOwnPlaces(listUnits(places), { repository: read('repository'), stateDirectory: read('stateDirectory'), copies: read('copies') });
}

/** What holds now for one setting, and what would hold by default. */
export async function getSetting(request: SettingsGetRequest, context: Pick<Context, 'settingsFile'>): Promise<SettingsResult> {
  const name = settingName(request.name);
  return { name, value: readSetting(context.settingsFile ?? SETTINGS_FILE, name), default: defaultSettings()[name] };
}

/** Changes one setting in the settings file; null goes back to the default. */
export async function setSetting(request: SettingsSetRequest, context: Pick<Context, 'settingsFile'>): Promise<SettingsResult> {
  const name = settingName(request.name);
  if (request.value !== null) checkUse(name, request.value);
  if (PLACES.has(name) || name === 'copies') checkPlaces(name, request.value, context);
  // The schema of the settings decides about the form of the value.
  writeSetting(context.settingsFile ?? SETTINGS_FILE, name, request.value === null ? undefined : (request.value as never));
  return getSetting({ name }, context);
}
