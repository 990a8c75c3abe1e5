import { defaultSettings, SETTINGS_FILE } from '../config/defaults.ts';
import { readSetting, type SettingName, writeSetting } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import type { Context } from './context.ts';
import type { SettingsGetRequest, SettingsResult, SettingsSetRequest } from './schemas/settings.ts';

function settingName(name: string): SettingName {
  const names = Object.keys(defaultSettings());
  if (names.includes(name)) return name as SettingName;
  throw new Failure('usage', `there is no setting ${JSON.stringify(name)}`, { affected: [name], advice: `Settings: ${names.join(', ')}.` });
}

/** What holds now for one setting, and what would hold by default. */
export async function getSetting(request: SettingsGetRequest, context: Pick<Context, 'settingsFile'>): Promise<SettingsResult> {
  const name = settingName(request.name);
  return { name, value: readSetting(context.settingsFile ?? SETTINGS_FILE, name), default: defaultSettings()[name] };
}

/** Changes one setting in the settings file; null goes back to the default. */
export async function setSetting(request: SettingsSetRequest, context: Pick<Context, 'settingsFile'>): Promise<SettingsResult> {
  const name = settingName(request.name);
  // The schema of the settings decides about the value.
  writeSetting(context.settingsFile ?? SETTINGS_FILE, name, request.value === null ? undefined : (request.value as never));
  return getSetting({ name }, context);
}
