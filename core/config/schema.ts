import { LOCATION_FORMS } from './location.ts';
import type { Meant } from './schema-validator.ts';

// What chain/duration.ts understands; a length of 0 would be a policy nobody means.
const DURATION = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,4} ?(h|hours?|d|days?|w|weeks?|months?|y|years?)$',
  description: 'A number and a unit: 36 hours, 4 days (or 4d), 2 weeks, 2 months, 1 year.',
} as const;

const KEPT = { type: 'integer', minimum: 0, maximum: 100_000 } as const;

const SCHEDULE_RULE = {
  type: 'object',
  properties: {
    weekdays: {
      type: 'array',
      items: { enum: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] },
      minItems: 1,
      description: 'Default: every day.',
    },
    weeksOfMonth: {
      type: 'array',
      items: { enum: [1, 2, 3, 4, 5, 'last'] },
      minItems: 1,
      description: 'Which of its weekdays in the month: 1 with sunday is the first Sunday. Default: every week.',
    },
    level: { enum: ['full', 'differential', 'incremental', 'synthetic'] },
  },
  required: ['level'],
  additionalProperties: false,
} as const;

const TIME_OF_DAY = { type: 'string', pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' } as const;

const SCHEDULE = {
  type: 'object',
  description:
    'When the whole server is backed up, which level `auto` takes on which day, and what follows. What is left out has its default.',
  properties: {
    rules: {
      type: 'array',
      items: SCHEDULE_RULE,
      maxItems: 100,
      description: 'The first rule that fits a day decides; on a day that no rule fits, an incremental is taken.',
    },
    maxFullAge: { ...DURATION, description: 'When the last full is older than this, the next backup is a full.' },
    time: { ...TIME_OF_DAY, description: 'The time of day, such as 01:30, from which the backup of that day is due.' },
    prune: { type: 'boolean', description: 'Whether a prune follows it.' },
    verifyWithin: {
      anyOf: [
        { ...DURATION, description: 'All contents are read back once in this time, another part of them each day.' },
        { const: false },
      ],
      description: 'In which time all contents are read back once, another part of them after each backup; false: none is.',
    },
  },
  additionalProperties: false,
} as const;

const RETENTION = {
  type: 'object',
  description:
    'Which snapshots are kept: each as long as any of these rules wants it, and as long as another kept snapshot needs it. Without a rule: all.',
  properties: {
    levels: {
      type: 'object',
      description: 'How long snapshots of each level are kept.',
      properties: { full: DURATION, differential: DURATION, incremental: DURATION },
      additionalProperties: false,
    },
    keepWithin: { ...DURATION, description: 'Everything younger is kept.' },
    keepLast: { ...KEPT, description: 'Everything of the last days with a snapshot, so many of them.' },
    keepDaily: { ...KEPT, description: 'The first snapshot of each of the last days of the calendar, so many of them, today included.' },
    keepWeekly: { ...KEPT, description: 'The same for weeks, which begin on Monday.' },
    keepMonthly: { ...KEPT, description: 'The same for months.' },
    keepYearly: { ...KEPT, description: 'The same for years.' },
    guardShare: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'The safety limit: somebody has to confirm a deletion of more than this share of the snapshots of a unit.',
    },
  },
  additionalProperties: false,
} as const;

// What limits.ts understands.
const RATE = { type: 'string', pattern: '^[1-9][0-9]{0,5} ?[KMG]iB/s$' } as const;

const LIMITS = {
  type: 'object',
  description: 'How backups give way to the sites. A key that is left out has its default. Restores heed only `workers` and `connections`.',
  properties: {
    workers: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      description: 'Maximum number of threads that read, hash and compress, or write. Default: as many as processors, at most 4.',
    },
    nice: { type: 'integer', minimum: 0, maximum: 19, description: 'As for nice(1); 0 changes nothing.' },
    ioClass: { enum: ['best-effort', 'idle'], description: 'As for ionice(1).' },
    ioLevel: { type: 'integer', minimum: 0, maximum: 7, description: 'The level inside best-effort; 7 gives way to all others.' },
    readRate: { ...RATE, description: 'Maximum rate at which files are read, such as 50 MiB/s. Default: no limit.' },
    sendRate: { ...RATE, description: 'Maximum rate at which data is written to the repository. Default: no limit.' },
    connections: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      description: 'Maximum number of requests at once to a repository that is not a directory. Default: 16; 4 for rclone.',
    },
    load: {
      type: 'number',
      exclusiveMinimum: 0,
      description: 'A backup pauses while the load of the last minute is above this. Default: it never pauses.',
    },
    wait: {
      type: 'integer',
      minimum: 0,
      maximum: 1440,
      description: 'Minutes that a backup waits for another one in progress; with 0 it is refused at once.',
    },
    ownerInterval: { ...DURATION, description: 'An account is backed up for its owner no sooner than this after its last backup.' },
    ownerShare: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'Share of the free room in the repository that one backup for an owner may take. All such backups together leave this share free.',
    },
    downloadsFor: { ...DURATION, description: 'The file of a download is removed after this.' },
  },
  additionalProperties: false,
} as const;

const ABSOLUTE_PATH = { type: 'string', pattern: '^/[^\\u0000]*$', maxLength: 4000 } as const;

/** `parseLocation` reads it; here only that it is one, so that each scheme that is not known can be named. */
const LOCATION = { type: 'string', pattern: '^(?:/|[A-Za-z0-9+.-]+:)[^\\u0000]*$', maxLength: 4000 } as const;

const INSTANT = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$',
} as const;

const S3 = {
  type: 'object',
  description: 'How a repository at s3:… is reached. A key that is left out has its default.',
  properties: {
    region: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'Region of the bucket. Default: us-east-1, which stores without regions expect.',
    },
    pathStyle: {
      type: 'boolean',
      description: 'Whether the bucket stands in the path of addresses (true, the default) or in the name of the host.',
    },
    credentialsFile: {
      ...ABSOLUTE_PATH,
      description: 'File of root alone (0600) with the key, as the aws command writes it. Left out: the role of the machine.',
    },
    pruneCredentialsFile: {
      ...ABSOLUTE_PATH,
      description:
        'The same file with another key, by which `prune` deletes: the usual key need not be able to. It may be there only while somebody prunes. Left out: the usual key.',
    },
    profile: { type: 'string', minLength: 1, maxLength: 100, description: 'Section of that file. Default: default.' },
    storageClass: {
      type: 'string',
      pattern: '^[A-Z][A-Z0-9_]{0,63}$',
      description: 'Storage class of what is stored. Default: the bucket’s.',
    },
    serverSideEncryption: { enum: ['AES256', 'aws:kms'], description: 'Encryption that the store is asked for. Default: the bucket’s.' },
    encryptionKey: { type: 'string', minLength: 1, maxLength: 2048, description: 'Name of the key for aws:kms.' },
    asOf: {
      ...INSTANT,
      description:
        'Reads a bucket that keeps versions as it was at this time, such as 2026-11-20T08:00:00Z, whatever was deleted or overwritten since. Default: now.',
    },
    objectLock: {
      type: 'object',
      description:
        'Has the store lock what is stored, so that nobody can delete it for a time, and renews that for what is kept. Default: no locks.',
      properties: {
        mode: {
          enum: ['governance', 'compliance'],
          description:
            'compliance: nobody can end a lock, not even the owner of the bucket. governance: whoever has a right of its own for that can.',
        },
        days: { type: 'integer', minimum: 1, maximum: 365, description: 'So long what is stored is locked at first. Default: 30.' },
      },
      required: ['mode'],
      additionalProperties: false,
    },
  },
  additionalProperties: false,
} as const;

const SFTP = {
  type: 'object',
  description: 'How a repository at sftp:… is reached. A key that is left out has its default.',
  properties: {
    identityFile: {
      ...ABSOLUTE_PATH,
      description: 'Private key without a passphrase, of root alone (0600). Default: /root/.ssh/id_ed25519.',
    },
    knownHostsFile: {
      ...ABSOLUTE_PATH,
      description: 'Keys of the hosts that are known, as OpenSSH keeps them. Default: /root/.ssh/known_hosts.',
    },
    agent: { ...ABSOLUTE_PATH, description: 'Socket of an agent that has the key, in the place of identityFile.' },
  },
  additionalProperties: false,
} as const;

const RCLONE = {
  type: 'object',
  description: 'How a repository at rclone:… is reached.',
  properties: {
    configFile: { ...ABSOLUTE_PATH, description: 'The settings of rclone. Default: /root/.config/rclone/rclone.conf.' },
  },
  additionalProperties: false,
} as const;

const DATABASES = {
  type: 'object',
  description: 'How databases are backed up. A key that is left out has its default.',
  properties: {
    method: {
      enum: ['stream', 'panel', 'none'],
      description:
        'stream: a dump of each database, from the server into the backup. panel: the panel’s own export runs before the files. none.',
    },
    timeLimit: {
      type: 'integer',
      minimum: 1,
      maximum: 10_080,
      description: 'Minutes that one dump may take, or the panel’s export.',
    },
    statementLimit: {
      type: 'integer',
      minimum: 1,
      maximum: 10_080,
      description: 'Minutes that one statement of a dump may take when it is restored, or a piece of a table’s rows.',
    },
    mysql: {
      type: 'object',
      properties: {
        socket: { ...ABSOLUTE_PATH, description: 'Left out: where EL and Debian have it.' },
        credentials: { ...ABSOLUTE_PATH, description: 'Option file with root’s login; without such a file root logs in by who it is.' },
      },
      additionalProperties: false,
    },
    postgresql: {
      type: 'object',
      properties: {
        socket: { ...ABSOLUTE_PATH, description: 'Folder of the socket. Left out: where EL and Debian have it.' },
        port: { type: 'integer', minimum: 1, maximum: 65_535 },
        credentials: {
          ...ABSOLUTE_PATH,
          description: 'Password file with the login of postgres; without such a file the system’s user postgres logs in by who it is.',
        },
      },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
} as const;

const MAIL_ADDRESS = { type: 'string', pattern: '^[A-Za-z0-9._+=-]{1,64}(@[A-Za-z0-9.-]{1,253})?$' } as const;

/** An address of the web, or the file of root that holds one which is a secret itself. */
const WEB_PLACE = { type: 'string', pattern: '^(https?://[!-~]+|/[^\\u0000]*)$', maxLength: 4000 } as const;

const NOTIFY = {
  type: 'object',
  description: 'Who is told what became of the automatic backups. A key that is left out has its default.',
  properties: {
    mail: {
      anyOf: [{ type: 'boolean' }, { type: 'array', items: MAIL_ADDRESS, minItems: 1, maxItems: 20 }],
      description: 'true: mail goes to the administrator as the panel knows him; or to these addresses; false: to nobody.',
    },
    argos: { type: 'boolean', description: 'Whether it goes through the panel’s Argos as well.' },
    always: { type: 'boolean', description: 'Whether a night in which all went well is told by mail, Argos and webhooks, too.' },
    webhooks: {
      type: 'array',
      maxItems: 20,
      items: {
        type: 'object',
        properties: {
          url: { ...WEB_PLACE, description: 'Where JSON is posted, or the file of root that holds that address.' },
          key: {
            ...ABSOLUTE_PATH,
            description: 'The file of root that holds the key to sign with: whsec_ and base64. Left out: it is not signed.',
          },
        },
        required: ['url'],
        additionalProperties: false,
      },
    },
    heartbeats: {
      type: 'array',
      maxItems: 20,
      items: {
        type: 'object',
        description: 'Addresses of a service that notices when nothing comes; each may be the file of root that holds it.',
        properties: {
          start: { ...WEB_PLACE, description: 'Asked when an automatic backup begins.' },
          success: { ...WEB_PLACE, description: 'Asked when all of it is ok.' },
          failure: { ...WEB_PLACE, description: 'Asked when something of it is not.' },
        },
        additionalProperties: false,
      },
    },
    metrics: {
      type: 'string',
      pattern: '^/[^\\u0000]*\\.prom$',
      maxLength: 4000,
      description: 'The file that Prometheus’ node_exporter reads, in the folder of its textfile collector.',
    },
  },
  additionalProperties: false,
} as const;

const ACCOUNTS = {
  type: 'object',
  description: 'What the panel’s events of accounts do. A key that is left out has its default.',
  properties: {
    firstBackup: { type: 'boolean', description: 'Whether a new account is backed up soon, and does not wait for the night.' },
    lastBackup: {
      anyOf: [{ type: 'integer', minimum: 1, maximum: 55 }, { const: false }],
      description: 'Minutes that a last backup may hold up the deletion of an account; false: none is made.',
    },
    keepDeleted: {
      anyOf: [DURATION, { const: false }],
      description: 'How long the last backup of a deleted account is held, whatever the rules of retention say; false: they decide.',
    },
  },
  additionalProperties: false,
} as const;

const COPIES = {
  type: 'array',
  maxItems: 20,
  description: 'Other places to which `copy` brings what is in the repository. Each is reached by options of its own.',
  items: {
    type: 'object',
    properties: {
      name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,31}$', description: 'By which `copy` and `--from` mean it.' },
      repository: { ...LOCATION, description: `Where the copy is: ${LOCATION_FORMS}.` },
      s3: S3,
      sftp: SFTP,
      rclone: RCLONE,
      retention: { ...RETENTION, description: 'What the copy keeps, and so what is copied. Default: what the repository keeps.' },
      prune: { type: 'boolean', description: 'Whether the automatic backup prunes the copy, too. Default: true.' },
      recipients: {
        type: 'array',
        minItems: 1,
        maxItems: 18,
        items: { type: 'string', pattern: '^age1[02-9ac-hj-np-z]{58}$' },
        description: 'For whom alone the copy is encrypted, whatever the repository is. Default: it has the same bytes.',
      },
    },
    required: ['name', 'repository'],
    additionalProperties: false,
  },
} as const;

/** What the texts of the settings have to be, for messages. */
export const MEANT_IN_SETTINGS: Meant = new Map([
  [MAIL_ADDRESS.pattern, 'an address such as backups@example.com, or a local name such as root'],
  [WEB_PLACE.pattern, 'an address that begins with https:// or http://, or the path of a file of root that holds one'],
  [NOTIFY.properties.metrics.pattern, 'a path from the root on that ends with .prom'],
  [DURATION.pattern, 'a number above 0 and a unit, such as 36 hours, 4 days or 2 months'],
  [TIME_OF_DAY.pattern, 'a time of day from 00:00 to 23:59, such as 01:30'],
  [RATE.pattern, 'a rate such as 50 MiB/s, in KiB, MiB or GiB'],
  [INSTANT.pattern, 'a time such as 2026-11-20T08:00:00Z'],
  [LOCATION.pattern, `a path from the root on, or a location such as ${LOCATION_FORMS}`],
  [COPIES.items.properties.name.pattern, 'a name of small letters, digits and -, such as offsite'],
  [COPIES.items.properties.recipients.items.pattern, 'a recipient of age, which begins with age1'],
  [S3.properties.storageClass.pattern, 'a storage class such as STANDARD_IA'],
  [ABSOLUTE_PATH.pattern, 'a path from the root on, such as /srv/backups'],
]);

/** The settings file: every key may be left out, no other key may stand in it. */
export const settingsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:apiscp-backup:schema:settings:1',
  title: 'Settings of apiscp-backup',
  type: 'object',
  additionalProperties: false,
  properties: {
    repository: { ...LOCATION, description: `Where the backups are: ${LOCATION_FORMS}.` },
    s3: S3,
    sftp: SFTP,
    rclone: RCLONE,
    copies: COPIES,
    stateDirectory: { ...ABSOLUTE_PATH, description: 'Root-only working data of this server; never needed to restore.' },
    accountsRoot: { ...ABSOLUTE_PATH, description: 'Directory of the accounts, with one folder siteN each.' },
    systemRoot: { ...ABSOLUTE_PATH, description: 'Directory below which the server-wide locations are looked for.' },
    databases: DATABASES,
    enabled: { type: 'boolean', description: 'Whether the timer backs the server up by itself.' },
    limits: LIMITS,
    schedule: SCHEDULE,
    retention: RETENTION,
    notify: NOTIFY,
    accounts: ACCOUNTS,
    exclude: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 4000 },
      maxItems: 1000,
      description: 'Patterns in the manner of gitignore(5), on paths in the snapshot; the last one that fits decides.',
    },
    readBack: {
      type: 'boolean',
      description: 'Whether a run reads again what it stored, and compares it, before it records a snapshot.',
    },
    recovery: {
      type: 'object',
      description: 'Recovery data beside what is stored, by which `repair` heals what a disk has lost of it.',
      properties: {
        percent: {
          type: 'integer',
          minimum: 0,
          maximum: 100,
          description: 'Its share of what is stored, and so of what can be healed; 0: none.',
        },
      },
      additionalProperties: false,
    },
    includeSubvolumes: {
      type: 'boolean',
      description: 'Whether btrfs subvolumes inside what is backed up are backed up with it. Otherwise they are skipped and named.',
    },
  },
} as const;
