import type { settingsSchema } from './schema.ts';
import type { FromSchema } from './schema-type.ts';

/** What the settings file may hold. */
export type SettingsFile = FromSchema<typeof settingsSchema>;

/** Every setting, with defaults for what the file leaves out. */
export type Settings = { readonly [Name in keyof SettingsFile]-?: NonNullable<SettingsFile[Name]> };

export type SettingName = keyof Settings;
