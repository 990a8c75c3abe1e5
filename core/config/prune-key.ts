import { existsSync } from 'node:fs';
import type { Settings } from './settings-type.ts';

/** The settings with the key by which is deleted, where there is one of its own for that. */
export function withPruneKey(settings: Settings): Settings {
  const { pruneCredentialsFile } = settings.s3;
  if (pruneCredentialsFile === undefined) return settings;
  return { ...settings, s3: { ...settings.s3, credentialsFile: pruneCredentialsFile } };
}

/** The file in which that key would be, when it is not on this machine now. */
export function absentPruneKey({ s3: { pruneCredentialsFile } }: Pick<Settings, 's3'>): string | undefined {
  return pruneCredentialsFile === undefined || existsSync(pruneCredentialsFile) ? undefined : pruneCredentialsFile;
}
