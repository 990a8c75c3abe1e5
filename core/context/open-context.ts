import { loadSettings, loadUsableSettings, type UsableSettings } from '../config/settings.ts';
import type { Context, Reporter } from './context.ts';

/**
 * What looks into backups or restores. Somebody needs it just when something is broken, and of the settings it needs the places alone;
 * of what is deleted or backed up by a setting, that one decides.
 */
const RESCUING: ReadonlySet<string> = new Set([
  'servers',
  'list',
  'ls',
  'databases',
  'find',
  'history',
  'diff',
  'plan',
  'restore',
  'restoreDatabase',
  'verify',
  'repair',
  'download',
  'hold',
  'release',
  'status',
  'fleetStatus',
  'doctor',
  'start',
  'job',
  'jobs',
  'cancel',
  'log',
  'watch',
]);

/**
 * The context of one request. The settings are read when the command first asks for them, so that a command that needs
 * none works while they are broken, and each request sees them as they are then.
 */
export function openContext(
  settingsFile: string | undefined,
  reporter: Reporter,
  signal: AbortSignal,
  method = '',
  streams: Pick<Context, 'standardInput' | 'archiveOutput'> = {},
): Context {
  let loaded: UsableSettings | undefined;
  const load = (): UsableSettings => {
    if (!RESCUING.has(method)) return { settings: loadSettings(settingsFile), unusable: new Map() };
    const usable = loadUsableSettings(settingsFile);
    for (const [name, problem] of usable.unusable) {
      const message = `${problem}; this setting is ignored here, and stops each backup`;
      reporter.log({ level: 'warning', code: 'invalid_settings', message, affected: [name] });
    }
    return usable;
  };
  const settings = (): UsableSettings => {
    loaded ??= load();
    return loaded;
  };
  return {
    get settings() {
      return settings().settings;
    },
    get unusable() {
      return settings().unusable;
    },
    settingsFile,
    reporter,
    ...streams,
    now: () => new Date(),
    signal,
  };
}
