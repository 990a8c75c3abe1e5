import { DEFAULT_ACCOUNTS, DEFAULT_NOTIFY } from './defaults.ts';
import type { Settings } from './settings-type.ts';

export type NotifySettings = Settings['notify'] & {
  readonly mail: boolean | readonly string[];
  readonly argos: boolean;
  readonly always: boolean;
};

/** Who is told what, with the defaults for what the setting leaves out. */
export function notifyOf({ notify }: Pick<Settings, 'notify'>): NotifySettings {
  return { ...DEFAULT_NOTIFY, ...notify };
}

export type AccountSettings = Required<Settings['accounts']>;

/** What the panel's events of accounts do, with the defaults. */
export function accountSettingsOf({ accounts }: Pick<Settings, 'accounts'>): AccountSettings {
  return { ...DEFAULT_ACCOUNTS, ...accounts };
}
