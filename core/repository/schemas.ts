import { dayPattern, TIME } from './ids.ts';

/** Schemas of the repository's JSON objects. Keys that a later version adds are allowed everywhere, and ignored. */
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

const formatVersion = { type: 'integer', minimum: 1 } as const;
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const deviceNumber = { type: 'integer', minimum: 0, maximum: 0xffff_ffff } as const;
const time = {
  type: 'string',
  pattern: `^${dayPattern('-')}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?Z$`,
} as const;
const repositoryId = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const;
const serverId = { type: 'string', pattern: '^[0-9a-f]{16}$' } as const;
const unitName = { type: 'string', pattern: '^[a-z][a-z0-9]{0,30}$' } as const;
const unitId = { type: 'string', pattern: '^[a-z][a-z0-9]{0,30}-[0-9a-f]{8}$' } as const;
const timedId = { type: 'string', pattern: `^${TIME}-[0-9a-f]{8}$` } as const;
const text = { type: 'string', maxLength: 65536 } as const;
const textOrNull = { anyOf: [text, { type: 'null' }] } as const;
const tool = { type: 'object', properties: { name: text, version: text }, required: ['name', 'version'] } as const;

const objectReference = { path: text, length: count, sha256: digest, keys: timedId } as const;
const recipient = { type: 'string', pattern: '^age1[a-z0-9]{58}$' } as const;
const recipients = { type: 'array', items: recipient } as const;
const recipientOrNull = { anyOf: [recipient, { type: 'null' }] } as const;
const sealed = {
  type: 'object',
  properties: { keys: timedId, age: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' } },
  required: ['keys', 'age'],
} as const;

const snapshotLink = { type: 'object', properties: { id: timedId, sha256: digest }, required: ['id', 'sha256'] } as const;
const snapshotLinkOrNull = { anyOf: [snapshotLink, { type: 'null' }] } as const;

const countOrNull = { anyOf: [count, { type: 'null' }] } as const;
const seconds = { type: 'number', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const rawDatabases = {
  type: 'object',
  properties: { path: text, engine: { enum: ['mysql', 'postgresql'] }, replacedBy: { enum: ['dumps', 'panel', null] } },
  required: ['path', 'engine', 'replacedBy'],
} as const;

const recordedDatabase = {
  type: 'object',
  properties: {
    engine: { enum: ['mysql', 'postgresql'] },
    name: text,
    path: text,
    result: { enum: ['ok', 'failed'] },
    server: text,
    characterSet: text,
    collation: text,
    size: countOrNull,
    sha256: { anyOf: [digest, { type: 'null' }] },
    tables: countOrNull,
    rows: countOrNull,
    consistency: { enum: ['snapshot', 'locked', null] },
    leftOut: {
      type: 'array',
      items: { type: 'object', properties: { kind: text, name: text, reason: text }, required: ['kind', 'name', 'reason'] },
    },
    locale: {
      type: 'object',
      properties: { provider: { enum: ['libc', 'icu', 'builtin'] }, ctype: text, name: text, rules: text },
      required: ['provider', 'ctype'],
    },
    at: time,
    seconds,
    secondsBeforeFiles: seconds,
    error: {
      anyOf: [{ type: 'object', properties: { code: text, message: text }, required: ['code', 'message'] }, { type: 'null' }],
    },
  },
  required: [
    ...['engine', 'name', 'path', 'result', 'server', 'characterSet', 'collation', 'size', 'sha256', 'tables', 'rows'],
    ...['consistency', 'at', 'seconds', 'secondsBeforeFiles', 'error'],
  ],
} as const;

export const repositorySchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:repository:1',
  type: 'object',
  properties: { formatVersion, id: repositoryId, created: time, recipients },
  required: ['formatVersion', 'id', 'created'],
} as const;

export const serverSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:server:1',
  type: 'object',
  properties: {
    formatVersion,
    repository: repositoryId,
    server: serverId,
    name: text,
    machine: digest,
    product: digest,
    copyOf: repositoryId,
    created: time,
  },
  required: ['formatVersion', 'repository', 'server', 'name', 'machine', 'created'],
} as const;

export const machineSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:machine:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    name: text,
    machine: digest,
    product: digest,
    adopted: {
      type: 'array',
      items: { type: 'object', properties: { path: text, sha256: digest }, required: ['path', 'sha256'] },
    },
    formerKeys: { type: 'array', items: { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' } },
    created: time,
  },
  required: ['formatVersion', 'id', 'repository', 'server', 'name', 'machine', 'created'],
} as const;

export const unitSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:unit:1',
  type: 'object',
  properties: {
    formatVersion,
    repository: repositoryId,
    server: serverId,
    unit: unitId,
    name: unitName,
    incarnation: text,
    domain: textOrNull,
    adminUser: textOrNull,
    created: time,
    sealed,
  },
  required: ['formatVersion', 'repository', 'server', 'unit', 'name', 'incarnation', 'domain', 'adminUser', 'created'],
} as const;

export const noteSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:note:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    unit: unitId,
    kind: { enum: ['continued', 'joined', 'gone'] },
    incarnation: textOrNull,
    joined: { anyOf: [unitId, { type: 'null' }] },
    domain: text,
    reason: text,
    created: time,
    sealed,
  },
  required: ['formatVersion', 'id', 'repository', 'server', 'unit', 'kind', 'incarnation', 'joined', 'reason', 'created'],
} as const;

const warning = {
  type: 'object',
  properties: { code: text, message: text, path: text, path_b64: text },
  required: ['code', 'message'],
} as const;

export const snapshotSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:snapshot:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    unit: unitId,
    name: unitName,
    level: { enum: ['full', 'differential', 'incremental'] },
    synthetic: { type: 'boolean' },
    reason: text,
    time,
    finished: time,
    parent: snapshotLinkOrNull,
    base: snapshotLinkOrNull,
    roots: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: text, source: text, fileSystem: text, mounted: { type: 'boolean' }, born: text },
        required: ['name', 'source'],
      },
    },
    devices: {
      type: 'array',
      items: {
        type: 'object',
        properties: { major: deviceNumber, minor: deviceNumber, fileSystem: text },
        required: ['major', 'minor', 'fileSystem'],
      },
    },
    counts: {
      type: 'object',
      properties: { entries: count, changed: count, deleted: count },
      required: ['entries', 'changed', 'deleted'],
    },
    bytes: { type: 'object', properties: { total: count, read: count, stored: count }, required: ['total', 'read', 'stored'] },
    manifest: {
      type: 'object',
      properties: {
        ...objectReference,
        content: { type: 'object', properties: { length: count, sha256: digest }, required: ['length', 'sha256'] },
        index: {
          type: 'object',
          properties: { offset: count, length: count, sha256: digest },
          required: ['offset', 'length', 'sha256'],
        },
      },
      required: ['path', 'length', 'sha256', 'index'],
    },
    packs: { type: 'array', items: { type: 'object', properties: objectReference, required: ['path', 'length', 'sha256'] } },
    warnings: { type: 'array', items: warning },
    warningCount: count,
    complete: { type: 'boolean' },
    excluded: {
      type: 'object',
      properties: {
        paths: { type: 'array', items: text },
        patterns: { type: 'array', items: text },
        rawDatabases: { type: 'array', items: rawDatabases },
      },
      required: ['paths', 'patterns'],
    },
    databases: { type: 'array', items: recordedDatabase },
    exporters: { type: 'array', items: {} },
    tool,
    sealed,
  },
  required: [
    'formatVersion',
    'id',
    'repository',
    'server',
    'unit',
    'name',
    'level',
    'synthetic',
    'reason',
    'time',
    'finished',
    'parent',
    'base',
    'roots',
    'counts',
    'bytes',
    'manifest',
    'packs',
    'warnings',
    'warningCount',
    'exporters',
    'tool',
  ],
} as const;

const runUnit = {
  type: 'object',
  properties: {
    name: unitName,
    unit: { anyOf: [unitId, { type: 'null' }] },
    outcome: { enum: ['ok', 'unchanged', 'partial', 'failed'] },
    time,
    snapshot: snapshotLinkOrNull,
    warningCount: count,
    complete: { type: 'boolean' },
    size: count,
    failure: {
      anyOf: [{ type: 'object', properties: { code: text, message: text }, required: ['code', 'message'] }, { type: 'null' }],
    },
  },
  required: ['name', 'unit', 'outcome', 'time', 'snapshot', 'warningCount', 'failure'],
} as const;

const sequence = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;
const logLink = {
  type: 'object',
  properties: { sequence, id: timedId, sha256: digest },
  required: ['sequence', 'id', 'sha256'],
} as const;

export const runSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:run:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    time,
    finished: time,
    status: { enum: ['ok', 'partial', 'failed'] },
    units: { type: 'array', items: runUnit },
    whole: { type: 'boolean' },
    verified: {
      type: 'object',
      properties: { oldest: { anyOf: [time, { type: 'null' }] }, damaged: { type: 'array', items: unitName } },
      required: ['oldest', 'damaged'],
    },
    log: {
      type: 'object',
      properties: { sequence, previous: { anyOf: [logLink, { type: 'null' }] }, standing: { type: 'boolean' } },
      required: ['sequence', 'previous'],
    },
    tool,
    sealed,
  },
  required: ['formatVersion', 'id', 'repository', 'server', 'time', 'finished', 'status', 'units', 'tool'],
} as const;

const unitSnapshot = { type: 'object', properties: { unit: unitId, id: timedId }, required: ['unit', 'id'] } as const;

export const deletionSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:deletion:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    runs: {
      type: 'array',
      items: { type: 'object', properties: { first: sequence, last: sequence }, required: ['first', 'last'] },
    },
    snapshots: { type: 'array', items: unitSnapshot },
    standing: {
      type: 'array',
      items: {
        type: 'object',
        properties: { unit: unitId, sequence, snapshots: { type: 'array', items: timedId } },
        required: ['unit', 'sequence', 'snapshots'],
      },
    },
    accepted: {
      type: 'array',
      items: {
        type: 'object',
        properties: { time, runs: { type: 'array', items: timedId }, snapshots: { type: 'array', items: unitSnapshot } },
        required: ['time', 'runs', 'snapshots'],
      },
    },
    created: time,
  },
  required: ['formatVersion', 'id', 'repository', 'server', 'runs', 'snapshots', 'created'],
} as const;

export const holdSchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:hold:1',
  type: 'object',
  properties: {
    formatVersion,
    repository: repositoryId,
    server: serverId,
    unit: unitId,
    snapshot: timedId,
    reason: text,
    expires: { anyOf: [time, { type: 'null' }] },
    created: time,
    sealed,
  },
  required: ['formatVersion', 'repository', 'server', 'unit', 'snapshot', 'reason', 'expires', 'created'],
} as const;

export const keySchema = {
  $schema: DIALECT,
  $id: 'urn:apiscp-backup:schema:key:1',
  type: 'object',
  properties: {
    formatVersion,
    id: timedId,
    repository: repositoryId,
    server: serverId,
    recipients,
    serverRecipient: recipientOrNull,
    passphraseRecipient: recipientOrNull,
    lockedSha256: digest,
    created: time,
  },
  required: ['formatVersion', 'id', 'repository', 'server', 'recipients', 'serverRecipient', 'passphraseRecipient', 'created'],
} as const;
