import { loadSettings, type Settings } from '../config/settings.ts';
import type { Context, Reporter } from './context.ts';

/**
 * The context of one request. The settings are read when the command first asks for them, so that a command that needs
 * none works while they are broken, and each request sees them as they are then.
 */
export function openContext(settingsFile: string | undefined, reporter: Reporter, signal: AbortSignal): Context {
  let settings: Settings | undefined;
  return {
    get settings() {
      settings ??= loadSettings(settingsFile);
      return settings;
    },
    settingsFile,
    reporter,
    now: () => new Date(),
    signal,
  };
}
