import description from '../package.json' with { type: 'json' };

/** The name and version of this program, as snapshot records and `--version` state them. */
export const PROGRAM = { name: description.name, version: description.version } as const;
