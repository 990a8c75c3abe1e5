const ABSOLUTE_PATH = { type: 'string', pattern: '^/[^\\u0000]*$', maxLength: 4000 } as const;

/** The settings file: every key may be left out, no other key may stand in it. */
export const settingsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:apiscp-backup:schema:settings:1',
  title: 'Settings of apiscp-backup',
  type: 'object',
  additionalProperties: false,
  properties: {
    repository: { ...ABSOLUTE_PATH, description: 'Directory that holds the backups.' },
    stateDirectory: { ...ABSOLUTE_PATH, description: 'Root-only working data of this server; never needed to restore.' },
    accountsRoot: { ...ABSOLUTE_PATH, description: 'Directory of the accounts, with one folder siteN each.' },
    systemRoot: { ...ABSOLUTE_PATH, description: 'Directory below which the server-wide locations are looked for.' },
    workers: { type: 'integer', minimum: 1, maximum: 64, description: 'Worker threads that read, hash and compress.' },
  },
} as const;
