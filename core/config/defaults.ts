import { availableParallelism } from 'node:os';
import type { Settings } from './settings.ts';

/** Where the settings are when no other file is named. */
export const SETTINGS_FILE = '/etc/apiscp-backup/config.json';

// More workers than this only wait for the disk, and take the accounts' processors away.
const MOST_WORKERS = 4;

/** What holds for every setting that the file leaves out. */
export function defaultSettings(): Settings {
  return {
    repository: '/var/backups/apiscp-backup',
    stateDirectory: '/var/lib/apiscp-backup',
    accountsRoot: '/home/virtual',
    systemRoot: '/',
    workers: Math.min(MOST_WORKERS, availableParallelism()),
  };
}
