import type { Settings } from './settings-type.ts';

/** Where the settings are when no other file is named. */
export const SETTINGS_FILE = '/etc/apiscp-backup/config.json';

/**
 * The default schedule, that of ApisCP's Bacula bundle: full on the first Sunday of the month, differential on the others, incremental on
 * other days.
 */
export const DEFAULT_SCHEDULE = {
  rules: [
    { weekdays: ['sunday'], weeksOfMonth: [1], level: 'full' },
    { weekdays: ['sunday'], level: 'differential' },
    { level: 'incremental' },
  ],
  maxFullAge: '2 months',
  time: '01:30',
  prune: true,
  verifyWithin: '1 month',
} as const;

/** What ApisCP's Bacula bundle keeps. */
export const DEFAULT_RETENTION = {
  levels: { full: '2 months', differential: '20 days', incremental: '4 days' },
  guardShare: 0.5,
} as const;

/** Behind everything that serves the sites. How many workers depends on the machine (`limits.ts`). */
export const DEFAULT_LIMITS = {
  nice: 10,
  ioClass: 'best-effort',
  ioLevel: 7,
  wait: 60,
  ownerInterval: '1 hour',
  ownerShare: 0.1,
  downloadsFor: '2 days',
} as const;

/** Databases are dumped by this program itself; where their servers are, `databases.ts` says. */
export const DEFAULT_DATABASES = { method: 'stream', timeLimit: 240, statementLimit: 240 } as const;

/** Mail to the administrator, when something is wrong or in order again. */
export const DEFAULT_NOTIFY = { mail: true, argos: false, always: false } as const;

/** A deletion waits as long as a call of the panel may, and no longer. */
export const DEFAULT_ACCOUNTS = { firstBackup: true, lastBackup: 5, keepDeleted: '1 month' } as const;

/** None: it costs room and time. */
export const DEFAULT_RECOVERY = { percent: 0 } as const;

/** What holds for every setting that the file leaves out. */
export function defaultSettings(): Settings {
  return {
    repository: '/var/backups/apiscp-backup',
    s3: {},
    sftp: {},
    rclone: {},
    copies: [],
    stateDirectory: '/var/lib/apiscp-backup',
    accountsRoot: '/home/virtual',
    systemRoot: '/',
    databases: DEFAULT_DATABASES,
    enabled: true,
    limits: DEFAULT_LIMITS,
    schedule: DEFAULT_SCHEDULE,
    retention: DEFAULT_RETENTION,
    notify: DEFAULT_NOTIFY,
    accounts: DEFAULT_ACCOUNTS,
    exclude: [],
    readBack: false,
    recovery: DEFAULT_RECOVERY,
    includeSubvolumes: false,
  };
}
